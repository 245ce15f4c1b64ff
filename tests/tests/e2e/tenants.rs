//! `tenant_isolated`: an agent of one organization sees and changes nothing of another's, and can't tell what is another's
//! from what does not exist.

use std::collections::BTreeSet;

use e2e::node::{ALL_SCOPES, token_form};
use e2e::session::agent_body;
use e2e::{Answer, Api, Backend, Client, Node, Organization, Request, Session, jwt, on_both_stores};
use serde_json::{Value, json};

on_both_stores!(
    what_another_organization_has_is_as_if_it_did_not_exist,
    a_credential_is_found_under_its_own_agent_only,
    lists_hold_only_what_is_the_organizations_own,
    a_token_of_another_organization_is_not_active,
    a_token_of_another_organization_is_not_revoked,
    the_operator_sees_and_kills_tokens_of_every_organization,
    nobody_registers_or_moves_an_agent_into_another_organization,
    organizations_do_not_share_emails_or_logs,
    a_suspension_reaches_no_other_organization,
);

const OTHER: &str = "01900000-0000-7000-8000-0000000000aa";
const NOBODY: &str = "01900000-0000-7000-8000-00000000ffff";
const SCOPES: [&str; 4] = ["agents:read", "agents:write", "tokens:read", "audit:read"];

/// Every route that takes an identifier: its method, its template as the access rules name it, and its body.
const ROUTES: [(&str, &str, Option<&str>); 8] = [
    ("GET", "/api/v1/agents/{agentId}", None),
    ("PATCH", "/api/v1/agents/{agentId}", Some(r#"{"status":"suspended"}"#)),
    ("GET", "/api/v1/agents/{agentId}/credentials", None),
    ("POST", "/api/v1/agents/{agentId}/credentials", Some("{}")),
    (
        "POST",
        "/api/v1/agents/{agentId}/credentials/{credentialId}/rotate",
        Some("{}"),
    ),
    ("DELETE", "/api/v1/agents/{agentId}/credentials/{credentialId}", None),
    ("GET", "/api/v1/audit/{eventId}", None),
    ("DELETE", "/api/v1/agents/{agentId}", None),
];

#[test]
fn every_route_that_takes_an_identifier_is_tried() {
    let rules = include_str!("../../../policies/data/scopes.json");
    let rules: Value = serde_json::from_str(rules).expect("JSON");
    let routes = rules["routes"].as_object().expect("routes").keys();
    let with_ids: BTreeSet<String> = routes.filter(|name| name.contains('{')).cloned().collect();
    let tried = ROUTES.map(|(method, template, _)| format!("{method} {template}"));
    assert_eq!(BTreeSet::from(tried), with_ids);
}

/// One organization, as the tests see it.
struct Side {
    /// An agent that may do whatever an agent without `admin:orgs` may.
    caller: Client,
    /// Another one, whom the other side is after.
    target: Client,
    /// The caller's.
    session: Session,
    /// Who may look at everything here, to see what has become of it.
    owner: Session,
}

/// What is asked for.
struct Ids {
    agent: String,
    credential: String,
    event: String,
}

impl Ids {
    fn unknown() -> Self {
        let (agent, credential, event) = (NOBODY.into(), NOBODY.into(), NOBODY.into());
        Self {
            agent,
            credential,
            event,
        }
    }

    fn path(&self, template: &str) -> String {
        template
            .replace("{agentId}", &self.agent)
            .replace("{credentialId}", &self.credential)
            .replace("{eventId}", &self.event)
    }
}

impl Side {
    async fn new(node: &Node, caller: Client, target: Client, owner: &Client) -> Self {
        let session = node.session(&caller, &SCOPES.join(" ")).await;
        let owner = match owner.id == caller.id {
            true => session.clone(),
            false => node.admin().await,
        };
        Self {
            caller,
            target,
            session,
            owner,
        }
    }

    async fn ids(&self) -> Ids {
        let event = &self.owner.audit("").await[0]["eventId"];
        Ids {
            agent: self.target.id.clone(),
            credential: self.target.credential.clone(),
            event: event.as_str().expect("an id").to_owned(),
        }
    }

    /// Everything of the target that anybody could change or leave a trace in.
    async fn state(&self) -> Value {
        let path = format!("/api/v1/agents/{}", self.target.id);
        let agent = self.owner.get(&path).send().await.expect(200).json();
        let credentials = self.owner.get(&format!("{path}/credentials")).send().await;
        let mut credentials = credentials.expect(200).json();
        for credential in credentials["data"].as_array_mut().expect("a list") {
            // Noted some time after the credential was used.
            credential["lastUsedAt"] = Value::Null;
        }
        json!({ "agent": agent, "credentials": credentials, "log": self.owner.audit("").await })
    }
}

/// A node with two organizations: the system's, and another.
struct Tenants {
    node: Node,
    ours: Side,
    theirs: Side,
}

impl Tenants {
    async fn start(backend: Backend) -> Self {
        let mut node = Node::start(backend).await;
        let admin = node.admin().await;
        let agent = admin.new_agent().await["agentId"].as_str().expect("an id").to_owned();
        let plain = admin.new_secret(&agent, &json!({ "scopes": SCOPES })).await;
        let ours = (plain, admin.new_client().await);
        let theirs = (admin.new_client().await, admin.new_client().await);
        let other = Organization {
            id: OTHER,
            slug: "other",
            signing_algorithm: "EdDSA",
            agents: &[&theirs.0, &theirs.1],
        };
        node.make_organizations(&[other]).await;
        let (operator, their_owner) = (node.admin.clone(), theirs.0.clone());
        let ours = Side::new(&node, ours.0, ours.1, &operator).await;
        let theirs = Side::new(&node, theirs.0, theirs.1, &their_owner).await;
        Self { node, ours, theirs }
    }

    /// Everybody who is not in the organization that it is about: our agent and the operator with every scope there is, who
    /// acts inside the system organization too, and their agent.
    async fn strangers(&self) -> Vec<(&'static str, Session, &Side)> {
        vec![
            ("ours", self.ours.session.clone(), &self.theirs),
            ("the operator", self.node.admin().await, &self.theirs),
            ("theirs", self.theirs.session.clone(), &self.ours),
        ]
    }
}

fn request(session: &Session, (method, template, body): (&str, &str, Option<&str>), ids: &Ids) -> Request {
    let path = ids.path(template);
    let body: Value = body.map_or(Value::Null, |text| serde_json::from_str(text).expect("JSON"));
    match method {
        "GET" => session.get(&path),
        "POST" => session.post(&path, &body),
        "PATCH" => session.patch(&path, &body),
        "DELETE" => session.delete(&path),
        other => panic!("no such method here: {other}"),
    }
}

/// The status and the body: what an answer tells.
fn told(answer: &Answer) -> (u16, Value) {
    (answer.status, answer.json())
}

async fn what_another_organization_has_is_as_if_it_did_not_exist(backend: Backend) {
    let tenants = Tenants::start(backend).await;
    for (name, stranger, side) in tenants.strangers().await {
        let token = tenants.node.token(&side.target, "").await;
        let (before, ids) = (side.state().await, side.ids().await);
        for route in ROUTES {
            let etag = "\"1\"";
            let theirs = request(&stranger, route, &ids).header("if-match", etag).send().await;
            let nobodys = request(&stranger, route, &Ids::unknown())
                .header("if-match", etag)
                .send()
                .await;
            assert_eq!(told(&theirs), told(&nobodys), "{name}: {route:?}");
            let expected: &[u16] = if name == "the operator" { &[404] } else { &[403, 404] };
            assert!(expected.contains(&theirs.status), "{name}: {route:?} {theirs:?}");
            assert_eq!(theirs.header("etag"), "", "{name}: {route:?}");
        }
        assert_eq!(side.state().await, before, "{name} changed something");
        assert!(tenants.node.accepts_bearer(&token).await);
        let _ = tenants.node.token(&side.target, "").await;
    }
}

async fn a_credential_is_found_under_its_own_agent_only(backend: Backend) {
    let tenants = Tenants::start(backend).await;
    let operator = tenants.node.admin().await;
    for (stranger, own, side) in [
        (&tenants.ours.session, &tenants.ours.caller, &tenants.theirs),
        (&operator, &tenants.ours.target, &tenants.theirs),
        (&tenants.theirs.session, &tenants.theirs.caller, &tenants.ours),
    ] {
        let before = side.state().await;
        let with = |credential: &str| Ids {
            agent: own.id.clone(),
            credential: credential.to_owned(),
            ..Ids::unknown()
        };
        for route in ROUTES.into_iter().filter(|route| route.1.contains("{credentialId}")) {
            let theirs = request(stranger, route, &with(&side.target.credential)).send().await;
            let nobodys = request(stranger, route, &with(NOBODY)).send().await;
            assert_eq!(told(&theirs), told(&nobodys), "{route:?}");
            assert_eq!(theirs.status, 404, "{route:?} {theirs:?}");
        }
        assert_eq!(side.state().await, before);
    }
}

async fn lists_hold_only_what_is_the_organizations_own(backend: Backend) {
    let tenants = Tenants::start(backend).await;
    for (name, stranger, side) in tenants.strangers().await {
        let organization = jwt::parts(&stranger.token).1["organization_id"].clone();
        assert_eq!(
            organization == OTHER,
            name == "theirs",
            "the agents are where they are meant to be"
        );
        let get = async |path: &str| stranger.get(path).send().await.expect(200).json();
        let agents = get("/api/v1/agents?limit=100").await;
        let own = agents["data"].as_array().expect("a list");
        assert_eq!(agents["total"], own.len());
        assert!(
            !own.is_empty() && own.iter().all(|agent| agent["organizationId"] == organization),
            "{name}: {agents}"
        );
        let target = side
            .owner
            .get(&format!("/api/v1/agents/{}", side.target.id))
            .send()
            .await;
        let email = target.expect(200).json()["email"]
            .as_str()
            .expect("an email")
            .to_owned();
        let found = get(&format!("/api/v1/agents?q={email}")).await;
        assert_eq!((&found["total"], &found["data"]), (&json!(0), &json!([])), "{name}");

        let events = stranger.audit("").await;
        assert!(
            events.iter().all(|event| event["organizationId"] == organization),
            "{name}: {events:?}"
        );
        let latest = get("/api/v1/audit?limit=1").await;
        let count = usize::try_from(latest["total"].as_u64().expect("a count")).expect("small");
        assert_eq!(count, stranger.audit("").await.len(), "{name}");
        assert_eq!(stranger.verify().await["checkedCount"], count, "{name}");
        // A cursor is a place in one's own log, wherever it comes from.
        let foreign = side.owner.get("/api/v1/audit?limit=1").send().await.expect(200).json();
        if let Some(cursor) = foreign["nextCursor"].as_str() {
            let events = get(&format!("/api/v1/audit?cursor={cursor}")).await;
            let events = events["data"].as_array().expect("a list");
            assert!(
                events.iter().all(|event| event["organizationId"] == organization),
                "{name}"
            );
        }
    }
    // The target was registered in our organization, so our log may name it; their log names nobody of ours.
    for client in [&tenants.ours.caller, &tenants.ours.target, &tenants.node.admin] {
        let events = tenants.theirs.session.audit(&format!("agentId={}", client.id)).await;
        assert_eq!(events, Vec::<Value>::new());
    }
}

const INTROSPECTION: [&str; 2] = ["/oauth2/introspect", "/api/v1/token/introspect"];
const REVOCATION: [&str; 2] = ["/oauth2/revoke", "/api/v1/token/revoke"];

/// The same question, asked in every way: at each path, with the client's secret and with a token of its.
async fn asked(api: &Api, paths: [&str; 2], (client, session): (&Client, &Session), token: &str) -> Vec<Answer> {
    let mut answers = Vec::new();
    for path in paths {
        let form = [("token", token)];
        answers.push(api.post(path).basic(client).form(&form).send().await);
        answers.push(api.post(path).bearer(&session.token).form(&form).send().await);
    }
    answers
}

async fn a_token_of_another_organization_is_not_active(backend: Backend) {
    let tenants = Tenants::start(backend).await;
    let (api, ours, theirs) = (tenants.node.api(), &tenants.ours, &tenants.theirs);
    for (stranger, side) in [(ours, theirs), (theirs, ours)] {
        let token = tenants.node.token(&side.target, "").await;
        let log = side.owner.audit("").await;
        for answer in asked(&api, INTROSPECTION, (&stranger.caller, &stranger.session), &token).await {
            assert_eq!(answer.expect(200).json(), json!({ "active": false }));
        }
        assert_eq!(side.owner.audit("").await, log, "nobody here has looked at it");
        for answer in asked(&api, INTROSPECTION, (&side.caller, &side.session), &token).await {
            let answer = answer.expect(200).json();
            assert_eq!(answer["active"], true, "{answer}");
        }
        // What was looked up for one organization is not remembered for the other.
        for answer in asked(&api, INTROSPECTION, (&stranger.caller, &stranger.session), &token).await {
            assert_eq!(answer.expect(200).json(), json!({ "active": false }));
        }
    }
}

async fn a_token_of_another_organization_is_not_revoked(backend: Backend) {
    let tenants = Tenants::start(backend).await;
    let (api, ours, theirs) = (tenants.node.api(), &tenants.ours, &tenants.theirs);
    for (stranger, side) in [(ours, theirs), (theirs, ours)] {
        let token = tenants.node.token(&side.target, "").await;
        let log = side.owner.audit("").await;
        for answer in asked(&api, REVOCATION, (&stranger.caller, &stranger.session), &token).await {
            assert_eq!(answer.status, 403, "{answer:?}");
        }
        assert_eq!(side.owner.audit("").await, log);
        assert!(tenants.node.accepts_bearer(&token).await && tenants.node.is_active(&token).await);
        for answer in asked(
            &api,
            REVOCATION,
            (&side.target, &Session::new(api.clone(), token.clone())),
            &token,
        )
        .await
        {
            // With the secret it may be repeated; as a bearer the token is dead by then.
            assert!(matches!(answer.status, 200 | 401), "{answer:?}");
        }
        assert!(!tenants.node.accepts_bearer(&token).await && !tenants.node.is_active(&token).await);
    }
}

async fn the_operator_sees_and_kills_tokens_of_every_organization(backend: Backend) {
    let tenants = Tenants::start(backend).await;
    let (node, theirs) = (&tenants.node, &tenants.theirs);
    let token = node.token(&theirs.target, "").await;
    let seen = node.introspect(&token).await;
    assert_eq!(
        (&seen["active"], &seen["organization_id"], &seen["sub"]),
        (&json!(true), &json!(OTHER), &json!(theirs.target.id))
    );
    let form = [("token", token.as_str())];
    let revoke = node.api().post(REVOCATION[0]).basic(&node.admin).form(&form);
    let _ = revoke.send().await.expect(200);
    assert!(!node.accepts_bearer(&token).await);
    // Whoever's token it was learns who did it.
    let events = theirs.owner.audit("action=token.revoked").await;
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(
        (&events[0]["agentId"], &events[0]["organizationId"]),
        (&json!(node.admin.id), &json!(OTHER))
    );
    assert_eq!(theirs.owner.verify().await["verified"], true);
}

async fn nobody_registers_or_moves_an_agent_into_another_organization(backend: Backend) {
    let tenants = Tenants::start(backend).await;
    let (node, ours, theirs) = (&tenants.node, &tenants.ours, &tenants.theirs);
    let organization = jwt::parts(&ours.session.token).1["organization_id"].clone();
    for (session, own, foreign) in [
        (&ours.session, ours, json!(OTHER)),
        (&theirs.session, theirs, organization),
    ] {
        let mut body = agent_body();
        body["organizationId"] = foreign.clone();
        let registered = session.post("/api/v1/agents", &body).send().await;
        assert_eq!(registered.bad_fields(), ["organizationId"]);
        let path = format!("/api/v1/agents/{}", own.caller.id);
        let moved = session.patch(&path, &json!({ "organizationId": foreign })).send().await;
        assert_eq!(moved.bad_fields(), ["organizationId"]);
    }
    // Nor does it help to ask: an agent of another organization never operates the installation.
    for scope in ["admin:orgs", ALL_SCOPES] {
        let request = node.api().post("/oauth2/token").basic(&theirs.caller);
        let answer = request.form(&token_form(scope)).send().await;
        answer.expect_oauth_error(400, "invalid_scope");
    }
    let info = theirs.session.get("/agent-info").send().await.expect(200).json();
    assert_eq!(info["organization_id"], OTHER, "{info}");
}

async fn organizations_do_not_share_emails_or_logs(backend: Backend) {
    let tenants = Tenants::start(backend).await;
    let (ours, theirs) = (&tenants.ours.session, &tenants.theirs.session);
    let body = agent_body();
    let one = ours.post("/api/v1/agents", &body).send().await.expect(201).json();
    let other = theirs.post("/api/v1/agents", &body).send().await.expect(201).json();
    assert_ne!(one["organizationId"], other["organizationId"]);
    for session in [ours, theirs] {
        let again = session.post("/api/v1/agents", &body).send().await;
        again.expect_error(409, "AGENT_ALREADY_EXISTS");
        assert_eq!(session.verify().await["verified"], true);
    }
    let log = theirs.audit("").await;
    assert!(log.iter().all(|event| event["organizationId"] == OTHER), "{log:?}");
    assert_eq!(log.last().expect("events")["sequence"], 1, "a chain of its own");
}

async fn a_suspension_reaches_no_other_organization(backend: Backend) {
    let tenants = Tenants::start(backend).await;
    let (node, ours, theirs) = (&tenants.node, &tenants.ours, &tenants.theirs);
    let (kept, killed) = (node.token(&ours.target, "").await, node.token(&theirs.target, "").await);
    theirs.session.set_status(&theirs.target.id, "suspended").await;
    assert!(node.accepts_bearer(&kept).await && !node.accepts_bearer(&killed).await);
    let request = node.api().post("/oauth2/token").basic(&theirs.target);
    let refused = request.form(&token_form("")).send().await;
    refused.expect_oauth_error(403, "unauthorized_client");
    let _ = node.token(&ours.target, "").await;
    theirs.session.set_status(&theirs.target.id, "active").await;
    let _ = node.token(&theirs.target, "").await;
}
