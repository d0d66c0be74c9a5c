package hold

import "net/http"

// Watched is a http.ResponseWriter that notes the status of a response that is not held
// back. Like Held, it counts a failure that comes after a success. Everything else
// passes through it.
type Watched struct {
	http.ResponseWriter
	status int // 0 until the final header is written
}

// Watch returns a Watched that writes to w.
func Watch(w http.ResponseWriter) *Watched { return &Watched{ResponseWriter: w} }

// WriteHeader notes the status and passes it on.
func (w *Watched) WriteHeader(status int) {
	final := status >= 200 || status == http.StatusSwitchingProtocols
	if final && (w.status == 0 || w.status/100 == 2) {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write passes b on. Like the server's own, it makes the status 200 if there is none.
func (w *Watched) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// Flush implements http.Flusher for handlers that ask for it.
func (w *Watched) Flush() { http.NewResponseController(w.ResponseWriter).Flush() }

// Unwrap serves http.ResponseController.
func (w *Watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Success reports whether the status is 2xx, as it is where nothing was written.
func (w *Watched) Success() bool { return w.status == 0 || w.status/100 == 2 }
