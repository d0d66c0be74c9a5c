package scheme

import (
	"bytes"
	"errors"
	"io"

	"github.com/hooknotary/hooknotary/verify"
)

// maxOpened is how much of what a gzip body holds is looked at for an id.
const maxOpened = 64 << 10

// checkCompression refuses what would look into a body that is signed as gzip.
func (d *Definition) checkCompression() error {
	switch {
	case d.Compression > verify.GzipUnpacked:
		return errors.New("the Compression has an unknown value")
	case d.Rejection.Status != 0 && (d.Rejection.Status < 400 || d.Rejection.Status > 499):
		return errors.New("Rejection.Status must lie between 400 and 499, or be 0 for 401")
	case d.Compression == verify.GzipSigned && (d.BodyPrefix != "" || d.Timestamp.Member != ""):
		return errors.New("a body that is signed as gzip has no BodyPrefix, and no Timestamp.Member")
	}
	return nil
}

// open returns what a signed body holds, or its start, to look for an id in it. What tells
// gzip is the body and not its Content-Encoding, which is not signed.
func (v *Verifier) open(body []byte) []byte {
	if v.def.Compression != verify.GzipSigned || !bytes.HasPrefix(body, []byte("\x1f\x8b")) {
		return body
	}
	// An error ends it early, and then there is no id, unless it came before that.
	opened, _ := io.ReadAll(io.LimitReader(verify.NewUnpacker(bytes.NewReader(body)), maxOpened))
	return opened
}
