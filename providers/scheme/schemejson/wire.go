package schemejson

// The wire types. A member with the tag need must be there.

type document struct {
	Version         int          `json:"version" need:"yes"`
	Kind            string       `json:"kind" need:"yes"`
	Provider        string       `json:"provider" need:"yes"`
	MediaType       string       `json:"media_type,omitempty"`
	Signatures      []signature  `json:"signatures" need:"yes"`
	Message         []part       `json:"message" need:"yes"`
	Timestamp       *timestamp   `json:"timestamp,omitempty"`
	ID              *id          `json:"id,omitempty"`
	Constants       []constant   `json:"constants,omitempty"`
	Aliases         []alias      `json:"aliases,omitempty"`
	Secret          secret       `json:"secret" need:"yes"`
	UnsignedID      string       `json:"unsigned_id,omitempty"`
	UnsignedType    string       `json:"unsigned_type,omitempty"`
	BodyPrefix      string       `json:"body_prefix,omitempty"`
	Partition       string       `json:"partition,omitempty"`
	Partitions      []string     `json:"partitions,omitempty"`
	MaxBody         int64        `json:"max_body" need:"yes"`
	Retry           string       `json:"retry" need:"yes"`
	Retention       string       `json:"retention,omitempty"`
	RetriesRunAgain bool         `json:"retries_run_again,omitempty"`
	Handshakes      []handshake  `json:"handshakes,omitempty"`
	Compression     string       `json:"compression,omitempty"`
	Rejection       *rejection   `json:"rejection,omitempty"`
	About           *description `json:"about,omitempty"`
}

type signature struct {
	Header    string   `json:"header" need:"yes"`
	More      []string `json:"more,omitempty"`
	Repeated  bool     `json:"repeated,omitempty"`
	Prefix    string   `json:"prefix,omitempty"`
	Field     string   `json:"field,omitempty"`
	Separator string   `json:"separator,omitempty"`
	Assign    string   `json:"assign,omitempty"`
	Blanks    bool     `json:"blanks,omitempty"`
	Encoding  string   `json:"encoding" need:"yes"`
	Algorithm string   `json:"algorithm" need:"yes"`
}

type part struct {
	Part   string `json:"part" need:"yes"`
	Text   string `json:"text,omitempty"`   // of a literal
	Header string `json:"header,omitempty"` // of a field
	Size   int    `json:"size,omitempty"`   // of a fixed_field
}

type timestamp struct {
	Header string `json:"header,omitempty"`
	Field  string `json:"field,omitempty"`
	First  bool   `json:"first,omitempty"`
	Member string `json:"member,omitempty"`
	Unit   string `json:"unit" need:"yes"`
	Past   string `json:"past,omitempty"`
	Future string `json:"future,omitempty"`
}

type id struct {
	Header   string   `json:"header,omitempty"`
	Member   string   `json:"member,omitempty"`
	Prefix   string   `json:"prefix,omitempty"`
	Repeated []string `json:"repeated,omitempty"`
}

type constant struct {
	Header string `json:"header" need:"yes"`
	Value  string `json:"value" need:"yes"`
}

type alias struct {
	Header string `json:"header" need:"yes"`
	Other  string `json:"other" need:"yes"`
}

type secret struct {
	Encoding       string   `json:"encoding" need:"yes"`
	Prefix         string   `json:"prefix,omitempty"`
	PrefixRequired bool     `json:"prefix_required,omitempty"`
	Refuse         []string `json:"refuse,omitempty"`
}

type handshake struct {
	Kind         string      `json:"kind" need:"yes"`
	If           []condition `json:"if,omitempty"`
	Token        string      `json:"token,omitempty"`
	Parameter    string      `json:"parameter,omitempty"`
	Header       string      `json:"header,omitempty"`
	Member       string      `json:"member,omitempty"`
	Without      string      `json:"without,omitempty"`
	Extra        string      `json:"extra,omitempty"`
	MaxChallenge int         `json:"max_challenge,omitempty"`
	Response     string      `json:"response,omitempty"`
}

type condition struct {
	Name  string `json:"name" need:"yes"`
	Value string `json:"value" need:"yes"`
}

type rejection struct {
	Status int  `json:"status,omitempty"`
	NoBody bool `json:"no_body,omitempty"`
}

type description struct {
	Title         string       `json:"title,omitempty"`
	Signed        string       `json:"signed,omitempty"`
	InBody        bool         `json:"in_body,omitempty"`
	Headers       []headerUse  `json:"headers,omitempty"`
	SecretQuery   []string     `json:"secret_query,omitempty"`
	NotCovered    []string     `json:"not_covered,omitempty"`
	Identifier    string       `json:"identifier,omitempty"`
	SecretPrefix  string       `json:"secret_prefix,omitempty"`
	Credentials   []credential `json:"credentials,omitempty"`
	JSON          *jsonStyle   `json:"json,omitempty"`
	Tell          *tell        `json:"tell,omitempty"`
	OtherMedia    []mediaNote  `json:"other_media,omitempty"`
	Handshakes    []string     `json:"handshakes,omitempty"`
	Links         []string     `json:"links,omitempty"`
	OutsideVector string       `json:"outside_vector,omitempty"`
}

type headerUse struct {
	Name string `json:"name" need:"yes"`
	Use  string `json:"use" need:"yes"`
	Weak string `json:"weak,omitempty"`

	Secret bool `json:"secret,omitempty"`
}

type credential struct {
	Prefix string `json:"prefix" need:"yes"`
	Length int    `json:"length,omitempty"`
	What   string `json:"what" need:"yes"`
	Secret bool   `json:"secret,omitempty"`
}

type jsonStyle struct {
	Space  string   `json:"space,omitempty"`
	First  []string `json:"first,omitempty"`
	Sorted bool     `json:"sorted,omitempty"`
}

type tell struct {
	Name    string   `json:"name,omitempty"`
	Headers []string `json:"headers,omitempty"`
	Value   string   `json:"value,omitempty"`
	Before  string   `json:"before,omitempty"`
}

type mediaNote struct {
	Type string `json:"type" need:"yes"`
	Text string `json:"text" need:"yes"`
	Fix  string `json:"fix" need:"yes"`
}
