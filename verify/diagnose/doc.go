// Package diagnose says why a captured delivery does not verify, in a sentence that
// a person can act on. It tries, offline, the mistakes that people really make.
//
// It is for tests, tools and the person on call. Nothing on the serving path imports
// it, and a server must not: it tries hundreds of signatures for one request.
package diagnose
