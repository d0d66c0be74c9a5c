package githubevent

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// shape says which bodies are of an event. Members are those of the body, or with a
// dot those of an object in it ("alert.dependency"). A null counts: it is there.
type shape struct {
	// has lists what every body of the event has. A member that stands here for
	// any event is telling, unless it is weak: other events must not have it, where
	// may does not allow it.
	has []string
	// may lists telling members that a body of this event can have, too.
	may []string
	// lacks lists members that are not telling and that no body of this event has.
	lacks []string
	// actions lists the values of the member "action". Nil: any, or none.
	actions []string
	// bare: but for common members and those above there is nothing in a body.
	bare bool
}

var (
	someAction = []string{"*"} // there is an action
	noAction   = []string{}
)

// common lists members that tell nothing: any event can have them.
var common = []string{"action", "enterprise", "installation", "organization", "repository", "sender"}

// weak lists members that an event has and others could have, too.
var weak = []string{"after", "before", "commit", "environment", "installation.app_id", "ref", "sha", "state", "status"}

// shapes returns the shape of each event by its name. Beside the events of go-github
// there are some whose bodies have all members of one of those and more.
//
// The source is GitHub's documentation of events and payloads.
var shapes = sync.OnceValue(func() map[string]shape {
	return map[string]shape{
		"branch_protection_rule":         {has: list("rule")},
		"check_run":                      {has: list("check_run")},
		"check_suite":                    {has: list("check_suite")},
		"code_scanning_alert":            {has: list("alert alert.rule"), may: list("commit_oid")},
		"commit_comment":                 {has: list("comment")},
		"content_reference":              {has: list("content_reference")},
		"create":                         {has: list("master_branch ref ref_type")},
		"delete":                         {has: list("ref ref_type")},
		"dependabot_alert":               {has: list("alert alert.dependency")},
		"deploy_key":                     {has: list("key")},
		"deployment":                     {has: list("deployment"), may: list("workflow workflow_run")},
		"deployment_protection_rule":     {has: list("deployment_callback_url environment"), may: list("deployment")},
		"deployment_status":              {has: list("deployment deployment_status"), may: list("check_run workflow workflow_run")},
		"discussion":                     {has: list("discussion"), may: list("label")},
		"discussion_comment":             {has: list("comment discussion")},
		"fork":                           {has: list("forkee")},
		"github_app_authorization":       {has: list("sender"), lacks: list("organization repository"), actions: list("revoked"), bare: true},
		"gollum":                         {has: list("pages")},
		"installation":                   {has: list("installation.app_id"), lacks: list("organization repository"), actions: list("created deleted new_permissions_accepted suspend unsuspend")},
		"installation_repositories":      {has: list("repositories_added repositories_removed")},
		"installation_target":            {has: list("account target_type")},
		"issue_comment":                  {has: list("comment issue")},
		"issues":                         {has: list("issue"), may: list("label milestone")},
		"label":                          {has: list("label")},
		"marketplace_purchase":           {has: list("marketplace_purchase")},
		"member":                         {has: list("member")},
		"membership":                     {has: list("member scope team")},
		"merge_group":                    {has: list("merge_group")},
		"meta":                           {has: list("hook hook_id"), actions: list("deleted")},
		"milestone":                      {has: list("milestone")},
		"org_block":                      {has: list("blocked_user")},
		"organization":                   {has: list("organization"), may: list("changes invitation membership user"), lacks: list("repository"), actions: list("created deleted member_added member_invited member_removed renamed"), bare: true},
		"package":                        {has: list("package")},
		"page_build":                     {has: list("build")},
		"personal_access_token_request":  {has: list("personal_access_token_request")},
		"ping":                           {has: list("hook hook_id zen")},
		"project":                        {has: list("project")},
		"project_card":                   {has: list("project_card")},
		"project_column":                 {has: list("project_column")},
		"projects_v2":                    {has: list("projects_v2")},
		"projects_v2_item":               {has: list("projects_v2_item")},
		"public":                         {has: list("repository"), actions: noAction, bare: true},
		"pull_request":                   {has: list("pull_request"), may: list("label milestone")},
		"pull_request_review":            {has: list("pull_request review")},
		"pull_request_review_comment":    {has: list("comment pull_request")},
		"pull_request_review_thread":     {has: list("pull_request thread")},
		"push":                           {has: list("after before commits pusher ref")},
		"release":                        {has: list("release")},
		"repository":                     {has: list("repository"), may: list("changes"), actions: list("anonymous_access_disabled anonymous_access_enabled archived created deleted edited privatized publicized renamed transferred unarchived"), bare: true},
		"repository_dispatch":            {has: list("branch client_payload")},
		"repository_import":              {has: list("repository status"), actions: noAction, bare: true},
		"repository_vulnerability_alert": {has: list("alert alert.affected_package_name")},
		"secret_scanning_alert":          {has: list("alert alert.secret_type")},
		"security_advisory":              {has: list("security_advisory")},
		"security_and_analysis":          {has: list("changes.from")},
		"star":                           {has: list("repository starred_at")},
		"status":                         {has: list("commit context sha state")},
		"team":                           {has: list("team"), actions: someAction},
		"team_add":                       {has: list("repository team"), actions: noAction},
		"user":                           {has: list("user"), lacks: list("organization repository"), actions: list("created deleted")},
		"watch":                          {has: list("repository"), actions: list("started"), bare: true},
		"workflow_dispatch":              {has: list("inputs ref workflow")},
		"workflow_job":                   {has: list("workflow_job"), may: list("deployment workflow")},
		"workflow_run":                   {has: list("workflow_run"), may: list("workflow")},

		// Not of go-github: what these have keeps their bodies from others' names.
		"deployment_review":              {has: list("since")},
		"secret_scanning_alert_location": {has: list("location")},
	}
})

func list(names string) []string { return strings.Fields(names) }

// telling returns the members that tell events apart.
var telling = sync.OnceValue(func() map[string]bool {
	all := make(map[string]bool)
	for _, s := range shapes() {
		for _, m := range s.has {
			if !slices.Contains(common, m) && !slices.Contains(weak, m) {
				all[m] = true
			}
		}
	}
	return all
})

// forbids reports whether a body of this event cannot have the member.
func (s shape) forbids(member string) bool {
	switch {
	case slices.Contains(s.has, member) || slices.Contains(s.may, member):
		return false
	case slices.Contains(s.lacks, member) || telling()[member]:
		return true
	}
	return s.bare && !strings.Contains(member, ".") && !slices.Contains(common, member)
}

// acts reports whether a body of this event can have such an action.
func (s shape) acts(action string, present bool) bool {
	switch {
	case s.actions == nil:
		return true
	case !present || len(s.actions) == 0:
		return !present && len(s.actions) == 0
	}
	return s.actions[0] == "*" || slices.Contains(s.actions, action)
}

// misfit says why a body is not of this event, and "" if it may be. It repeats nothing
// of the body.
func (s shape) misfit(b *body) string {
	for _, m := range s.has {
		if !b.members[m] {
			return fmt.Sprintf("it has no member %q", m)
		}
	}
	for m := range b.members {
		if s.forbids(m) {
			return "it has a member of another event"
		}
	}
	if !s.acts(b.action, b.members["action"]) {
		return "it has another action"
	}
	return ""
}

// body is what of a payload is compared with shapes.
type body struct {
	members map[string]bool
	action  string
}

// membersOf reads the members of a payload. GitHub writes their names in lower case.
// A name in any other form, or twice, is refused: go-github takes the last of several
// that are equal but for their case, and so would read another event than this
// function does.
func membersOf(text []byte) (*body, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return nil, fmt.Errorf("%w: it is not a JSON object", ErrPayload)
	}
	b := &body{members: make(map[string]bool)}
	for decoder.More() {
		name, err := decoder.Token()
		var value json.RawMessage
		if err != nil || decoder.Decode(&value) != nil {
			return nil, fmt.Errorf("%w: it is not JSON", ErrPayload)
		}
		m := name.(string)
		if b.members[m] || strings.Trim(m, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
			return nil, fmt.Errorf("%w: a member is repeated or not named as GitHub names them", ErrPayload)
		}
		b.members[m] = true
		switch m {
		case "action":
			if json.Unmarshal(value, &b.action) != nil {
				return nil, fmt.Errorf("%w: its action is not a text", ErrPayload)
			}
		case "alert", "changes", "installation":
			var object map[string]json.RawMessage
			if json.Unmarshal(value, &object) == nil {
				for inner := range object {
					b.members[m+"."+inner] = true
				}
			}
		}
	}
	return b, nil
}
