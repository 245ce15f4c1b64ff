//! Rate limits: told in headers, and kept.

use e2e::node::token_form;
use e2e::{Answer, Backend, Client, Node, NodeOptions, on_both_stores};

on_both_stores!(
    a_client_beyond_its_limit_waits_and_others_do_not,
    every_limited_answer_tells_how_the_client_stands,
    token_requests_have_a_limit_of_their_own,
    verification_of_the_chain_has_a_limit_of_its_own,
    requests_at_once_never_get_more_than_the_limit,
    without_limits_there_are_no_headers,
);

fn number(answer: &Answer, header: &str) -> u64 {
    answer
        .header(header)
        .parse()
        .unwrap_or_else(|_| panic!("{header} in {:?}", answer.headers))
}

async fn ask(node: &Node, client: &Client) -> Answer {
    node.api()
        .post("/oauth2/token")
        .basic(client)
        .form(&token_form(""))
        .send()
        .await
}

/// A window may end between two requests of a test, and begin anew; a test that needs a whole window tries this often.
const TRIES: usize = 5;

async fn a_client_beyond_its_limit_waits_and_others_do_not(backend: Backend) {
    let node = NodeOptions::on(backend)
        .set("limits.requests_per_minute", 5)
        .set("limits.token_requests_per_minute", 0)
        .start()
        .await;
    let (token, other) = (
        node.token(&node.admin, "agents:read agents:write").await,
        second_client(&node).await,
    );
    let read = || node.api().get("/api/v1/agents").bearer(&token).send();
    let mut answers = Vec::new();
    for _ in 0..TRIES * 6 {
        answers.push(read().await);
        if answers.last().is_some_and(|answer| answer.status == 429) {
            break;
        }
    }
    let refused = answers.last().expect("answers");
    refused.expect_error(429, "RATE_LIMIT_EXCEEDED");
    let wait = number(refused, "retry-after");
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(
        (
            number(refused, "x-ratelimit-limit"),
            number(refused, "x-ratelimit-remaining")
        ),
        (5, 0)
    );
    let elsewhere = node.api().get("/agent-info").bearer(&token).send().await;
    assert_eq!(elsewhere.status, 429, "the limit is per client, not per route");
    let theirs = node.token(&other, "").await;
    let _ = node
        .api()
        .get("/api/v1/agents")
        .bearer(&theirs)
        .send()
        .await
        .expect(200);
}

/// Made with a few of the administrator's requests.
async fn second_client(node: &Node) -> Client {
    node.session(&node.admin, "agents:write admin:orgs")
        .await
        .new_client()
        .await
}

async fn every_limited_answer_tells_how_the_client_stands(backend: Backend) {
    let node = NodeOptions::on(backend)
        .set("limits.requests_per_minute", 1000)
        .start()
        .await;
    let answer = ask(&node, &node.admin).await.expect(200);
    let (limit, remaining) = (
        number(&answer, "x-ratelimit-limit"),
        number(&answer, "x-ratelimit-remaining"),
    );
    assert_eq!(limit, 1000);
    assert!(remaining < limit);
    let token = answer.json()["access_token"].as_str().expect("a token").to_owned();
    let issued_at = e2e::jwt::parts(&token).1["iat"].as_u64().expect("iat");
    let reset = number(&answer, "x-ratelimit-reset");
    assert!(
        reset >= issued_at && reset <= issued_at + 61,
        "seconds since the epoch, at most a window away: {reset}"
    );
    for path in ["/api/v1/agents", "/agent-info"] {
        let answer = node.api().get(path).bearer(&token).send().await.expect(200);
        assert_eq!(number(&answer, "x-ratelimit-limit"), 1000, "{path}");
    }
    let missing = node
        .api()
        .get("/api/v1/agents/nobody")
        .bearer(&token)
        .send()
        .await
        .expect(404);
    assert_eq!(
        number(&missing, "x-ratelimit-limit"),
        1000,
        "a refusal is counted and told as well"
    );
}

async fn token_requests_have_a_limit_of_their_own(backend: Backend) {
    let node = NodeOptions::on(backend)
        .set("limits.token_requests_per_minute", 3)
        .start()
        .await;
    let mut last = ask(&node, &node.admin).await;
    for _ in 0..TRIES * 4 {
        if last.status == 429 {
            break;
        }
        last = ask(&node, &node.admin).await;
    }
    assert_eq!(last.status, 429, "{last:?}");
    assert!(last.json()["error"].is_string(), "in the shape of OAuth: {last:?}");
    assert!(number(&last, "retry-after") >= 1);
    // Guessing at somebody's secret does not use up that somebody's window, and says nothing of it.
    let wrong = node.admin.with_secret("sk_live_0");
    ask(&node, &wrong).await.expect_oauth_error(401, "invalid_client");
}

async fn verification_of_the_chain_has_a_limit_of_its_own(backend: Backend) {
    let node = NodeOptions::on(backend)
        .set("limits.verify_per_minute", 2)
        .start()
        .await;
    let token = node.token(&node.admin, "audit:read").await;
    let verify = || node.api().get("/api/v1/audit/verify").bearer(&token).send();
    let mut statuses = Vec::new();
    for _ in 0..TRIES * 3 {
        statuses.push(verify().await.status);
        if statuses.last() == Some(&429) {
            break;
        }
    }
    assert_eq!(statuses.last(), Some(&429), "{statuses:?}");
    let _ = node.api().get("/api/v1/audit").bearer(&token).send().await.expect(200);
}

async fn requests_at_once_never_get_more_than_the_limit(backend: Backend) {
    const LIMIT: usize = 10;
    let node = NodeOptions::on(backend)
        .set("limits.token_requests_per_minute", LIMIT)
        .start()
        .await;
    let client = node.admin.clone();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..5 * LIMIT {
        tasks.spawn(
            node.api()
                .post("/oauth2/token")
                .basic(&client)
                .form(&token_form(""))
                .send(),
        );
    }
    let answers = tasks.join_all().await;
    let resets: std::collections::BTreeSet<u64> = answers
        .iter()
        .map(|answer| number(answer, "x-ratelimit-reset"))
        .collect();
    let admitted = answers.iter().filter(|answer| answer.status == 200).count();
    // If the window changed meanwhile there were two of them.
    assert!(
        admitted <= LIMIT * resets.len(),
        "{admitted} of {} in {} windows",
        answers.len(),
        resets.len()
    );
    assert!(admitted >= LIMIT, "{admitted}");
}

async fn without_limits_there_are_no_headers(backend: Backend) {
    let node = Node::start(backend).await;
    let answer = ask(&node, &node.admin).await.expect(200);
    assert_eq!(
        (answer.header("x-ratelimit-limit"), answer.header("retry-after")),
        ("", "")
    );
}
