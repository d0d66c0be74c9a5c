package verify

// Alarm is a cause that somebody has to look at although it is the cause of one
// refusal among many: it says that genuine deliveries are refused, or soon will be,
// until the configuration changes. A certificate that comes from the provider's own
// host, in the provider's name, and chains to no known root is one.
//
// A verifier puts it anywhere in the tree of an [Error]. It is found with
// errors.As:
//
//	var alarm verify.Alarm
//	if errors.As(err, &alarm) && alarm.Alarm() {
//		// report it at once
//	}
//
// middleware.LogObserver logs it at error level, and in a way that no flood of
// other refusals hides. So nobody but the provider or the operator may be able to
// raise the first one. Once there is a first one, anyone can cause repeats.
type Alarm interface {
	error

	// Alarm reports whether this cause, as it is, is one.
	Alarm() bool
}
