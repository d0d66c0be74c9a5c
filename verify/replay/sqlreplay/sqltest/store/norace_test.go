//go:build !race

package sqlreplay_test

const race = false
