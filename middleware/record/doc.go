// Package record keeps what a guard judged as files, so that the next surprise of
// production becomes a test.
//
//	recorder, err := record.New("/var/lib/shop/webhooks", nil)
//	if err != nil {
//		log.Fatal(err)
//	}
//	defer recorder.Close()
//	mux.Handle("POST /hooks/stripe", recorder.Handler(guard.Handler(handler)))
//
// The recorder stands directly around a guard. Each request that the guard refuses
// becomes a capture in the folder, or each one that its handler runs for, or both:
// see [Kinds]. The file has the head, the exact body, the time at which the request
// arrived, what became of it, and what a verifier is expected to say about it.
// [capture.ReadFile] reads it, and it is ready for a folder of test data:
//
//	20260314T092653.589793Z-stripe-refused-mismatch-5b1f0c9ae2d47386.http
//
// The name is made of the time of arrival in UTC, the provider, the outcome with the
// reason of a refusal, and a random number. Nothing in it comes from a header.
//
// For echo it is echo.WrapMiddleware(recorder.Handler), in front of the guard of
// package echomw.
//
// # What is recorded, and what is not
//
// The recorder learns the verdict from the guard, and records only what a guard
// judged. A request to another route behind it leaves nothing. Where several guards
// judge a request, the outermost one counts. A handshake of the provider, answered or
// refused, is no delivery, and leaves nothing either.
//
// A body that came compressed is in the capture as it came, with its Content-Encoding, also
// where the guard unpacked it; whoever judges the capture unpacks it again, as package
// verifytest and the command line do (verify.Profile.Unpack).
//
// It never reads a byte of the body: it keeps what others read. What the guard
// refuses on the head alone has no body, therefore, and its capture says so as
// inexact. Behind a guard that only reports it has one, if the handler read it.
//
// The expectation is "accept" where the signature holds, also for replays, for
// copies that came while the event was being handled, and for whatever the store
// refused: they verify, and the note says how they were answered. It is the label
// of the reason where the verifier refused. There is none where the verifier was
// not asked or could not answer, and none where the body that was judged is not
// exactly the one in the file.
//
// Nothing may stand between recorder and guard that changes the request, nor
// anything that returns before the guard does, such as http.TimeoutHandler: what
// comes after that is not recorded, and reported to [Options.OnError].
//
// # Privacy
//
// A capture holds the whole body: names, addresses, amounts, whatever the provider
// sent. Anyone can have requests refused, so it may also hold what a stranger sent.
// Files are readable by their owner alone, and so is the folder if the recorder
// makes it; keep it out of what is served, backed up or committed without a look.
// Captures are kept until newer ones take their place, and not by age.
//
// Headers that hold credentials, such as Authorization and Cookie, are never
// written; package capture says which. [Options.Drop] names more, such as
// X-Forwarded-For, the address of whoever sent it. [Options.Redact] can change
// anything, for example a token in the query of the URL. The signature is kept:
// whoever has the file can send the delivery again, which is what the store
// is for.
//
// # Forgeries
//
// A forgery is another body under a signed message that was seen before. It takes a
// genuine delivery to make one, and its body is the evidence. So the first forgery of
// each signed message, see [middleware.Report.FirstForged], is kept in a part of the
// folder of its own. Only first forgeries of as many other messages push it out, not
// strangers, not replays, and not the further forgeries of the same message. The last
// part of its name is the beginning of [middleware.Report.Message] in place of a random
// number, and the further ones are refusals like others:
//
//	20260314T092653.589793Z-paypal-refused-forged-8c1f0e7b5a3d9264.http
//	20260314T092655.101210Z-paypal-refused-forged-again-5b1f0c9ae2d47386.http
//
// Where the folder has a first forgery of a message from a former run, or of another
// process, that one stays the first. A recorder that shares its folder with others
// may miss the one that another is writing just then, and write a second one.
//
// # Bounds
//
// The folder is bounded in files and bytes, and half of it is for refusals, so that
// a flood of forgeries pushes out no capture of a genuine delivery. First forgeries
// have as much as one half, beside both: with them the folder has at most one and a
// half times [Options.MaxFiles] and [Options.MaxBytes]. The oldest ones are removed
// first, in each part, also those of a former run, and nothing but what has the name
// of a capture of this package. Several processes may share a folder. Then each of
// them can exceed the bounds by the one capture that it is writing.
//
// Of each reason for a refusal at most 30 captures a minute are written, and as many
// again of what takes a good signature to cause; the next one of its kind says how
// many were left out. First forgeries have no such limit.
//
// Bodies of requests under way take at most 16 MiB of memory, or four times MaxBody
// if that is more. Captures that wait for the disk take as much again, once for each
// part of the folder. Where there is no memory left, the body of a refusal is cut unless its
// signature is good, and what cannot wait is dropped and reported. So is a request
// that a file cannot hold, such as one with more than 1 MiB of headers.
//
// A request never waits for the disk. Captures are written by a goroutine that lives
// while there is something to write; [Recorder.Close] waits for it.
package record
