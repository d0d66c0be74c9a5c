package githubevent

import "github.com/google/go-github/v60/github"

// The events of go-github, by the name of the event in X-GitHub-Event.
type (
	BranchProtectionRuleEvent         = github.BranchProtectionRuleEvent         // branch_protection_rule
	CheckRunEvent                     = github.CheckRunEvent                     // check_run
	CheckSuiteEvent                   = github.CheckSuiteEvent                   // check_suite
	CodeScanningAlertEvent            = github.CodeScanningAlertEvent            // code_scanning_alert
	CommitCommentEvent                = github.CommitCommentEvent                // commit_comment
	ContentReferenceEvent             = github.ContentReferenceEvent             // content_reference
	CreateEvent                       = github.CreateEvent                       // create
	DeleteEvent                       = github.DeleteEvent                       // delete
	DependabotAlertEvent              = github.DependabotAlertEvent              // dependabot_alert
	DeployKeyEvent                    = github.DeployKeyEvent                    // deploy_key
	DeploymentEvent                   = github.DeploymentEvent                   // deployment
	DeploymentProtectionRuleEvent     = github.DeploymentProtectionRuleEvent     // deployment_protection_rule
	DeploymentStatusEvent             = github.DeploymentStatusEvent             // deployment_status
	DiscussionEvent                   = github.DiscussionEvent                   // discussion
	DiscussionCommentEvent            = github.DiscussionCommentEvent            // discussion_comment
	ForkEvent                         = github.ForkEvent                         // fork
	GitHubAppAuthorizationEvent       = github.GitHubAppAuthorizationEvent       // github_app_authorization
	GollumEvent                       = github.GollumEvent                       // gollum
	InstallationEvent                 = github.InstallationEvent                 // installation
	InstallationRepositoriesEvent     = github.InstallationRepositoriesEvent     // installation_repositories
	InstallationTargetEvent           = github.InstallationTargetEvent           // installation_target
	IssueCommentEvent                 = github.IssueCommentEvent                 // issue_comment
	IssuesEvent                       = github.IssuesEvent                       // issues
	LabelEvent                        = github.LabelEvent                        // label
	MarketplacePurchaseEvent          = github.MarketplacePurchaseEvent          // marketplace_purchase
	MemberEvent                       = github.MemberEvent                       // member
	MembershipEvent                   = github.MembershipEvent                   // membership
	MergeGroupEvent                   = github.MergeGroupEvent                   // merge_group
	MetaEvent                         = github.MetaEvent                         // meta
	MilestoneEvent                    = github.MilestoneEvent                    // milestone
	OrgBlockEvent                     = github.OrgBlockEvent                     // org_block
	OrganizationEvent                 = github.OrganizationEvent                 // organization
	PackageEvent                      = github.PackageEvent                      // package
	PageBuildEvent                    = github.PageBuildEvent                    // page_build
	PersonalAccessTokenRequestEvent   = github.PersonalAccessTokenRequestEvent   // personal_access_token_request
	PingEvent                         = github.PingEvent                         // ping
	ProjectEvent                      = github.ProjectEvent                      // project
	ProjectCardEvent                  = github.ProjectCardEvent                  // project_card
	ProjectColumnEvent                = github.ProjectColumnEvent                // project_column
	ProjectV2Event                    = github.ProjectV2Event                    // projects_v2
	ProjectV2ItemEvent                = github.ProjectV2ItemEvent                // projects_v2_item
	PublicEvent                       = github.PublicEvent                       // public
	PullRequestEvent                  = github.PullRequestEvent                  // pull_request
	PullRequestReviewEvent            = github.PullRequestReviewEvent            // pull_request_review
	PullRequestReviewCommentEvent     = github.PullRequestReviewCommentEvent     // pull_request_review_comment
	PullRequestReviewThreadEvent      = github.PullRequestReviewThreadEvent      // pull_request_review_thread
	PushEvent                         = github.PushEvent                         // push
	ReleaseEvent                      = github.ReleaseEvent                      // release
	RepositoryEvent                   = github.RepositoryEvent                   // repository
	RepositoryDispatchEvent           = github.RepositoryDispatchEvent           // repository_dispatch
	RepositoryImportEvent             = github.RepositoryImportEvent             // repository_import
	RepositoryVulnerabilityAlertEvent = github.RepositoryVulnerabilityAlertEvent // repository_vulnerability_alert
	SecretScanningAlertEvent          = github.SecretScanningAlertEvent          // secret_scanning_alert
	SecurityAdvisoryEvent             = github.SecurityAdvisoryEvent             // security_advisory
	SecurityAndAnalysisEvent          = github.SecurityAndAnalysisEvent          // security_and_analysis
	StarEvent                         = github.StarEvent                         // star
	StatusEvent                       = github.StatusEvent                       // status
	TeamEvent                         = github.TeamEvent                         // team
	TeamAddEvent                      = github.TeamAddEvent                      // team_add
	UserEvent                         = github.UserEvent                         // user
	WatchEvent                        = github.WatchEvent                        // watch
	WorkflowDispatchEvent             = github.WorkflowDispatchEvent             // workflow_dispatch
	WorkflowJobEvent                  = github.WorkflowJobEvent                  // workflow_job
	WorkflowRunEvent                  = github.WorkflowRunEvent                  // workflow_run
)
