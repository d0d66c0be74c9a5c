// Package contextkey holds the keys of context values that package middleware shares
// with package observe, so that neither needs an exported name for them.
package contextkey

// Observer is the key of the function that With of package observe adds.
type Observer struct{}

// SignedBody is the key of the body that SignedBody of package observe returns.
type SignedBody struct{}
