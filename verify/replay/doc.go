// Package replay is the store: it remembers which events were handled, so
// that a genuine delivery reaches its handler once, and a copy of it never.
//
// A signature cannot tell a copy from the original. The store can, if it is
// asked at the right time: an event is claimed before its handler runs,
// committed after the handler succeeded and before the response leaves, and
// released when the handler failed. So no event is lost when a handler fails,
// and none runs twice when it succeeds. Between the handler's effects and the
// commit lies a gap in which a crash makes an event run once more; only a
// commit inside the handler's own transaction closes it.
//
// [Store] is the contract, [Memory] the embedded default. Memory forgets when
// the process ends. For schemes that sign each attempt anew it closes that gap
// with a floor: what was signed before it started, and is not known to it, is
// refused, and the provider retries with a new timestamp. For the others, a copy
// of a delivery that was handled before a restart is handled again.
//
// The store knows no HTTP and no provider. It is given keys that were made
// of signed facts, by package
// [github.com/hooknotary/hooknotary/middleware], and it is not asked before the
// signature holds.
//
// A new store calls [github.com/hooknotary/hooknotary/verify/replay/replaytest.Exercise]
// in its tests; that suite is the contract in executable form.
//
// [Inspector], [Record] and [Stats], which only operators use, stand here because Memory
// implements Inspector: a package for them would have to import this one, which would
// have to import it.
package replay
