//go:build unix

package main

import "syscall"

const pauseSignal, resumeSignal, termSignal = syscall.SIGSTOP, syscall.SIGCONT, syscall.SIGTERM
