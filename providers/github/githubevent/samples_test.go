package githubevent_test

import "strings"

// samples holds bodies of each event, cut down to the members that GitHub documents
// for it: R stands for a repository, O for an organization, S for a sender and I for
// the installation of an app, as every event has them.
var samples = map[string][]string{
	"branch_protection_rule": {
		`{"action":"created","rule":{"id":1,"name":"main"},R,O,S}`,
		`{"action":"edited","rule":{"id":1},"changes":{"admin_enforced":{"from":true}},R,S}`,
	},
	"check_run": {
		`{"action":"created","check_run":{"id":1,"check_suite":{"id":2},"deployment":{"id":3}},R,O,S,I}`,
		`{"action":"requested_action","check_run":{"id":1},"requested_action":{"identifier":"fix"},R,S,I}`,
	},
	"check_suite": {`{"action":"completed","check_suite":{"id":1,"before":"a","after":"b"},R,O,S,I}`},
	"code_scanning_alert": {
		`{"action":"created","alert":{"number":1,"rule":{"id":"go/sql"},"tool":{"name":"CodeQL"}},"ref":"refs/heads/main","commit_oid":"abc",R,O,S}`,
		`{"action":"updated_assignment","alert":{"number":1,"rule":{"id":"go/sql"}},R,O,S}`,
		`{"action":"closed_by_user","alert":{"number":1,"rule":{"id":"go/sql"}},"ref":null,"commit_oid":"abc",R,S}`,
	},
	"commit_comment":    {`{"action":"created","comment":{"id":1,"commit_id":"abc","body":"a"},R,O,S,I}`},
	"content_reference": {`{"action":"created","content_reference":{"id":1,"reference":"https://a.example"},R,S,I}`},
	"create": {
		`{"ref":"main","ref_type":"branch","master_branch":"main","description":null,"pusher_type":"user",R,O,S}`,
	},
	"delete": {`{"ref":"v1","ref_type":"tag","pusher_type":"user",R,O,S}`},
	"dependabot_alert": {
		`{"action":"created","alert":{"number":1,"dependency":{"scope":"runtime"},"security_advisory":{"ghsa_id":"GHSA-1"},"security_vulnerability":{}},R,O,S}`,
	},
	"deploy_key": {`{"action":"created","key":{"id":1,"read_only":true},R,O,S}`},
	"deployment": {
		`{"deployment":{"id":1,"sha":"abc"},R,O,S}`,
		`{"action":"created","deployment":{"id":1},"workflow":null,"workflow_run":null,R,S}`,
		`{"action":"created","deployment":{"id":1},"workflow":{"id":2},"workflow_run":{"id":3},R,S,I}`,
	},
	"deployment_protection_rule": {
		`{"action":"requested","environment":"production","event":"push","sha":"abc","ref":"refs/heads/main","deployment_callback_url":"https://api.github.com/a","deployment":{"id":1},"pull_requests":[],R,O,S,I}`,
	},
	"deployment_status": {
		`{"deployment":{"id":1},"deployment_status":{"id":2,"state":"success"},R,O,S}`,
		`{"action":"created","deployment":{"id":1},"deployment_status":{"id":2},"check_run":{"id":3},"workflow":{"id":4},"workflow_run":{"id":5},R,S,I}`,
	},
	"discussion": {
		`{"action":"created","discussion":{"id":1},R,O,S}`,
		`{"action":"labeled","discussion":{"id":1},"label":{"id":2},R,S}`,
		`{"action":"answered","discussion":{"id":1},"answer":{"id":2},R,S}`,
		`{"action":"unanswered","discussion":{"id":1},"old_answer":{"id":2},R,S}`,
		`{"action":"category_changed","discussion":{"id":1},"changes":{"category":{"from":{"id":1}}},R,S}`,
	},
	"discussion_comment": {
		`{"action":"created","comment":{"id":1},"discussion":{"id":2},R,O,S,I}`,
		`{"action":"edited","comment":{"id":1},"discussion":{"id":2},"changes":{"body":{"from":"a"}},R,S}`,
	},
	"fork":                     {`{"forkee":{"id":1},R,O,S}`},
	"github_app_authorization": {`{"action":"revoked",S}`},
	"gollum":                   {`{"pages":[{"page_name":"Home","action":"created"}],R,O,S}`},
	"installation": {
		`{"action":"created","installation":{"id":1,"app_id":2,"account":{"login":"a"},"permissions":{"issues":"write"}},"repositories":[{"id":1}],"requester":null,S}`,
		`{"action":"suspend","installation":{"id":1,"app_id":2,"account":{"login":"a"}},S}`,
	},
	"installation_repositories": {
		`{"action":"added","installation":{"id":1,"app_id":2},"repository_selection":"selected","repositories_added":[{"id":1}],"repositories_removed":[],"requester":null,S}`,
	},
	"installation_target": {
		`{"action":"renamed","account":{"login":"b"},"changes":{"login":{"from":"a"}},"target_type":"Organization",I}`,
	},
	"issue_comment": {
		`{"action":"created","issue":{"number":1,"pull_request":{}},"comment":{"id":2},R,O,S}`,
		`{"action":"edited","issue":{"number":1},"comment":{"id":2},"changes":{"body":{"from":"a"}},R,S}`,
	},
	"issues": {
		`{"action":"opened","issue":{"number":1},R,O,S}`,
		`{"action":"labeled","issue":{"number":1},"label":{"id":2},R,S}`,
		`{"action":"milestoned","issue":{"number":1},"milestone":{"id":2},R,S}`,
		`{"action":"assigned","issue":{"number":1},"assignee":{"login":"a"},R,S}`,
		`{"action":"transferred","issue":{"number":1},"changes":{"new_issue":{},"new_repository":{}},R,S}`,
		`{"action":"typed","issue":{"number":1},"type":{"id":1},R,S}`,
	},
	"label": {
		`{"action":"created","label":{"id":1},R,O,S}`,
		`{"action":"edited","label":{"id":1},"changes":{"name":{"from":"a"}},R,S}`,
	},
	"marketplace_purchase": {
		`{"action":"changed","effective_date":"2017-10-25T00:00:00+00:00","marketplace_purchase":{"unit_count":1},"previous_marketplace_purchase":{"unit_count":1},S}`,
	},
	"member": {
		`{"action":"added","member":{"login":"a"},R,O,S}`,
		`{"action":"edited","member":{"login":"a"},"changes":{"permission":{"from":"read","to":"write"}},R,S}`,
	},
	"membership":  {`{"action":"removed","scope":"team","member":{"login":"a"},"team":{"id":1},O,S}`},
	"merge_group": {`{"action":"destroyed","reason":"merged","merge_group":{"head_sha":"abc"},R,O,S}`},
	"meta":        {`{"action":"deleted","hook_id":1,"hook":{"type":"Repository"},R,S}`},
	"milestone": {
		`{"action":"created","milestone":{"id":1},R,O,S}`,
		`{"action":"edited","milestone":{"id":1},"changes":{"title":{"from":"a"}},R,S}`,
	},
	"org_block": {`{"action":"blocked","blocked_user":{"login":"a"},O,S}`},
	"organization": {
		`{"action":"member_added","membership":{"state":"active"},O,S}`,
		`{"action":"member_invited","invitation":{"id":1},"user":{"login":"a"},O,S}`,
		`{"action":"renamed","changes":{"login":{"from":"a"}},O,S}`,
		`{"action":"deleted",O,S}`,
	},
	"package":    {`{"action":"published","package":{"id":1},R,O,S}`},
	"page_build": {`{"id":1,"build":{"status":"built"},R,O,S}`},
	"personal_access_token_request": {
		`{"action":"created","personal_access_token_request":{"id":1},O,S,I}`,
	},
	"ping": {
		`{"zen":"Keep it logically awesome.","hook_id":1,"hook":{"type":"Organization"},O,S}`,
		`{"zen":"Keep it logically awesome.","hook_id":1,"hook":{"type":"App"}}`,
	},
	"project": {
		`{"action":"created","project":{"id":1},R,O,S}`,
		`{"action":"edited","project":{"id":1},"changes":{"name":{"from":"a"}},O,S}`,
	},
	"project_card":     {`{"action":"moved","project_card":{"id":1},"changes":{"column_id":{"from":1}},R,S}`},
	"project_column":   {`{"action":"created","project_column":{"id":1},R,S}`},
	"projects_v2":      {`{"action":"edited","projects_v2":{"id":1},"changes":{"title":{"from":"a"}},O,S}`},
	"projects_v2_item": {`{"action":"edited","projects_v2_item":{"id":1},"changes":{"field_value":{}},O,S}`},
	"public":           {`{R,O,S,I}`, `{R,S}`},
	"pull_request": {
		`{"action":"opened","number":1,"pull_request":{"number":1},R,O,S}`,
		`{"action":"synchronize","number":1,"before":"a","after":"b","pull_request":{"number":1},R,S}`,
		`{"action":"labeled","number":1,"label":{"id":1},"pull_request":{"number":1},R,S}`,
		`{"action":"milestoned","number":1,"milestone":{"id":1},"pull_request":{"number":1},R,S}`,
		`{"action":"review_requested","number":1,"requested_team":{"id":1},"pull_request":{"number":1},R,S}`,
		`{"action":"dequeued","number":1,"reason":"MERGE","pull_request":{"number":1},R,S}`,
	},
	"pull_request_review": {
		`{"action":"submitted","review":{"id":1},"pull_request":{"number":1},R,O,S}`,
		`{"action":"edited","review":{"id":1},"pull_request":{"number":1},"changes":{"body":{"from":"a"}},R,S}`,
	},
	"pull_request_review_comment": {`{"action":"created","comment":{"id":1},"pull_request":{"number":1},R,O,S}`},
	"pull_request_review_thread":  {`{"action":"resolved","thread":{"node_id":"a"},"pull_request":{"number":1},R,O,S}`},
	"push": {
		`{"ref":"refs/heads/main","before":"a","after":"b","created":false,"deleted":false,"forced":false,"base_ref":null,"compare":"https://a.example","commits":[],"head_commit":null,"pusher":{"name":"a"},R,O,S}`,
	},
	"release": {
		`{"action":"published","release":{"id":1},R,O,S}`,
		`{"action":"edited","release":{"id":1},"changes":{"body":{"from":"a"}},R,S}`,
	},
	"repository": {
		`{"action":"created",R,O,S}`,
		`{"action":"deleted",R,S,I}`,
		`{"action":"renamed","changes":{"repository":{"name":{"from":"a"}}},R,S}`,
	},
	"repository_dispatch": {
		`{"action":"deploy","branch":"main","client_payload":{"pull_request":{"number":1}},R,O,S,I}`,
		`{"action":"deleted","branch":"main","client_payload":null,R,S,I}`,
	},
	"repository_import": {`{"status":"success",R,O,S}`},
	"repository_vulnerability_alert": {
		`{"action":"create","alert":{"id":1,"affected_package_name":"a","affected_range":"<1"},R,S}`,
	},
	"secret_scanning_alert": {
		`{"action":"created","alert":{"number":1,"secret_type":"mailchimp_api_key"},R,O,I}`,
		`{"action":"resolved","alert":{"number":1,"secret_type":"mailchimp_api_key"},R,S}`,
	},
	"security_advisory": {`{"action":"published","security_advisory":{"ghsa_id":"GHSA-1"}}`},
	"security_and_analysis": {
		`{"changes":{"from":{"security_and_analysis":{"secret_scanning":{"status":"disabled"}}}},R,O,S}`,
	},
	"star": {
		`{"action":"created","starred_at":"2019-05-15T15:20:40Z",R,O,S}`,
		`{"action":"deleted","starred_at":null,R,S}`,
	},
	"status": {
		`{"id":1,"sha":"abc","name":"a/b","avatar_url":null,"target_url":null,"context":"default","description":null,"state":"success","commit":{"sha":"abc"},"branches":[],"created_at":"2019-05-15T15:20:40Z","updated_at":"2019-05-15T15:20:40Z",R,O,S}`,
	},
	"team": {
		`{"action":"created","team":{"id":1},O,S}`,
		`{"action":"added_to_repository","team":{"id":1},R,O,S}`,
		`{"action":"edited","team":{"id":1},"changes":{"name":{"from":"a"}},R,O,S}`,
	},
	"team_add": {`{"team":{"id":1},R,O,S}`},
	"user":     {`{"action":"created","user":{"login":"a"},"enterprise":{"id":1},S}`},
	"watch":    {`{"action":"started",R,O,S}`},
	"workflow_dispatch": {
		`{"inputs":null,"ref":"refs/heads/main","workflow":".github/workflows/a.yml",R,O,S}`,
		`{"inputs":{"environment":"production"},"ref":"refs/heads/main","workflow":".github/workflows/a.yml",R,S}`,
	},
	"workflow_job": {
		`{"action":"queued","workflow_job":{"id":1},R,O,S,I}`,
		`{"action":"in_progress","workflow_job":{"id":1},"deployment":{"id":2},R,S}`,
		`{"action":"completed","workflow_job":{"id":1},"workflow":{"id":2},R,S}`,
	},
	"workflow_run": {
		`{"action":"completed","workflow":{"id":1},"workflow_run":{"id":2},R,O,S}`,
		`{"action":"requested","workflow":null,"workflow_run":{"id":2},R,S}`,
	},
}

// actions are the actions of the events that are told by them.
var actions = map[string]string{
	"github_app_authorization": "revoked",
	"installation":             "created deleted new_permissions_accepted suspend unsuspend",
	"meta":                     "deleted",
	"organization":             "created deleted member_added member_invited member_removed renamed",
	"repository":               "anonymous_access_disabled anonymous_access_enabled archived created deleted edited privatized publicized renamed transferred unarchived",
	"user":                     "created deleted",
	"watch":                    "started",
}

// strangers are bodies of events that go-github does not know, by their names, and of
// some that may come.
var strangers = map[string]string{
	"branch_protection_configuration": `{"action":"disabled",R,O,S}`,
	"custom_property":                 `{"action":"deleted","definition":{"property_name":"a"},O,S}`,
	"custom_property_values":          `{"action":"updated","new_property_values":[],"old_property_values":[],R,O,S}`,
	"deployment_review":               `{"action":"approved","approver":{"login":"a"},"comment":"","reviewers":[],"since":"2023-01-01T00:00:00Z","workflow_job_runs":[],"workflow_run":{"id":1},R,O,S}`,
	"registry_package":                `{"action":"published","registry_package":{"id":1},R,O,S}`,
	"repository_advisory":             `{"action":"reported","repository_advisory":{"ghsa_id":"GHSA-1"},R,S}`,
	"repository_ruleset":              `{"action":"deleted","repository_ruleset":{"id":1},R,O,S}`,
	"secret_scanning_alert_location":  `{"action":"created","alert":{"number":1,"secret_type":"a"},"location":{"type":"commit"},R,O,S}`,
	"sponsorship":                     `{"action":"created","sponsorship":{"node_id":"a"},S,I}`,
	"revoked in an organization":      `{"action":"revoked",O,S}`,
	"revoked in a repository":         `{"action":"revoked",R,S}`,
	"revoked token":                   `{"action":"revoked","token":{"id":1},S}`,
	"start of a job":                  `{"action":"started","job":{"id":1},R,S}`,
	"user of a repository":            `{"action":"created","user":{"login":"a"},R,S}`,
	"status of a job":                 `{"status":"success","job":{"id":1},R,S}`,
	"status with an action":           `{"action":"completed","status":"success",R,S}`,
	"sub_issues":                      `{"action":"sub_issue_added","parent_issue_id":1,"parent_issue":{},"sub_issue_id":2,"sub_issue":{},R,O,S}`,
}

// sample puts the common members into a body.
func sample(text string) []byte {
	return []byte(strings.NewReplacer(
		",R", `,"repository":{"id":1,"full_name":"a/b"}`, "{R", `{"repository":{"id":1,"full_name":"a/b"}`,
		",O", `,"organization":{"login":"a"}`,
		",S", `,"sender":{"login":"octocat"}`,
		",I", `,"installation":{"id":7,"node_id":"a"}`,
	).Replace(text))
}
