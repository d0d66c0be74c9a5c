// Package rawtest tests a gateway from its two ends, with bytes.
//
// A case is what a sender writes to a connection: two lengths, chunks in all spellings, lines
// that end in other ways, headers that somebody believes, two requests in one, paths that
// only look like a route. Most hold a genuine signature, because a gateway that refuses all
// would pass otherwise. Behind the gateway stands a receiver that keeps every byte. It sees
// no request or one, and that one has exactly the lines that the gateway writes for the
// delivery, and the bytes that were verified as its body. The sender learns nothing of the
// receiver but the status.
//
// Refusals and repeats are compared byte for byte with those of a guard in a program.
//
// The package has nothing but tests.
package rawtest
