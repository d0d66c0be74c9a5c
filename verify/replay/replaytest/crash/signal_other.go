//go:build !unix

package main

import "syscall"

// No such system has these signals; sending them is an error.
const pauseSignal, resumeSignal, termSignal = syscall.Signal(-1), syscall.Signal(-1), syscall.Signal(-1)
