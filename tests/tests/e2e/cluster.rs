//! Three nodes, one identity provider: what one does all know, a node may be lost, and a node that is cut off is silent.

use std::time::Duration;

use e2e::{Backend, Cluster, Wire, eventually, on_both_stores, ports};
use serde_json::json;

on_both_stores!(
    a_token_is_known_at_every_node_and_dead_at_every_node,
    a_suspension_at_one_node_is_in_force_at_the_others_with_its_answer,
    the_cluster_goes_on_without_its_leader,
    what_was_killed_stays_dead_when_all_nodes_crash,
    a_node_that_is_left_alone_vouches_for_nothing,
    operators_see_and_change_the_members,
    the_metrics_tell_of_the_other_members,
    a_node_that_is_removed_hands_over_and_answers_what_it_was_asked,
    a_leader_that_is_told_to_stop_hands_over_before_it_has_answered_what_it_was_asked,
    a_learner_serves_like_any_other_and_is_not_promoted_by_itself,
    a_node_that_was_removed_while_it_was_down_hears_of_it_and_joins_again_with_nothing,
    exit_codes_tell_operators_what_went_wrong,
);

async fn a_token_is_known_at_every_node_and_dead_at_every_node(backend: Backend) {
    let cluster = Cluster::start(backend).await;
    for (issuer, revoker) in [(1, 3), (2, 1), (3, 2)] {
        let token = cluster.token(issuer, &cluster.admin, "agents:read").await;
        for node_id in 1..=3 {
            assert!(cluster.is_active(node_id, &token).await, "{node_id}");
        }
        let _ = cluster.revoke(revoker, &token).await.expect(200);
        for node_id in 1..=3 {
            assert!(!cluster.is_active(node_id, &token).await, "{node_id}");
            let answer = cluster.api(node_id).get("/agent-info").bearer(&token).send().await;
            let _ = answer.expect(401);
        }
    }
}

async fn a_suspension_at_one_node_is_in_force_at_the_others_with_its_answer(backend: Backend) {
    let cluster = Cluster::start(backend).await;
    let scopes = "agents:read agents:write audit:read admin:orgs";
    let [one, two, three] = [
        cluster.session(1, scopes).await,
        cluster.session(2, scopes).await,
        cluster.session(3, scopes).await,
    ];
    let agent = one.new_agent().await["agentId"].as_str().expect("an id").to_owned();
    let client = two.new_secret(&agent, &json!({})).await;
    let tokens = [
        cluster.token(1, &client, "").await,
        cluster.token(2, &client, "").await,
        cluster.token(3, &client, "").await,
    ];
    three.set_status(&agent, "suspended").await;
    for node_id in 1..=3 {
        for token in &tokens {
            assert!(!cluster.is_active(node_id, token).await);
        }
        let refused = cluster.api(node_id).post("/oauth2/token").basic(&client);
        let answer = refused.form(&[("grant_type", "client_credentials")]).send().await;
        answer.expect_oauth_error(403, "unauthorized_client");
    }
    one.set_status(&agent, "active").await;
    assert!(cluster.is_active(3, &cluster.token(2, &client, "").await).await);
    let verified = two.get("/api/v1/audit/verify").send().await.expect(200).json();
    assert_eq!(verified["verified"], true, "three nodes wrote one chain: {verified}");
}

async fn the_cluster_goes_on_without_its_leader(backend: Backend) {
    let cluster = Cluster::start(backend).await;
    let leader = cluster.leader(1).await.expect("a leader");
    let survivors: Vec<u64> = (1..=3).filter(|node_id| *node_id != leader).collect();
    let token = cluster.token(leader, &cluster.admin, "agents:read").await;
    cluster.kill(leader);
    // Nothing that a survivor answers from its own view waits for the next leader.
    for node_id in &survivors {
        assert!(cluster.is_active(*node_id, &token).await);
        let fresh = cluster.token(*node_id, &cluster.admin, "agents:read").await;
        assert!(cluster.is_active(survivors[0], &fresh).await);
    }
    eventually("a new leader takes the revocation", async || {
        (cluster.revoke(survivors[0], &token).await.status == 200).then_some(())
    })
    .await;
    assert!(!cluster.is_active(survivors[1], &token).await);
    let next = cluster.leader(survivors[1]).await;
    assert!(next.is_some_and(|next| survivors.contains(&next)), "{next:?}");
}

async fn what_was_killed_stays_dead_when_all_nodes_crash(backend: Backend) {
    let mut cluster = Cluster::start(backend).await;
    let (dead, alive) = (
        cluster.token(1, &cluster.admin, "agents:read").await,
        cluster.token(2, &cluster.admin, "agents:read").await,
    );
    let _ = cluster.revoke(2, &dead).await.expect(200);
    cluster.crash_and_start_again().await;
    assert_eq!(cluster.announcement()["clientSecret"], json!(null), "it is shown once");
    for node_id in 1..=3 {
        assert!(!cluster.is_active(node_id, &dead).await, "{node_id}");
        assert!(cluster.is_active(node_id, &alive).await, "{node_id}");
    }
}

async fn a_node_that_is_left_alone_vouches_for_nothing(backend: Backend) {
    let cluster = Cluster::start(backend).await;
    let token = cluster.token(1, &cluster.admin, "agents:read").await;
    cluster.kill(2);
    cluster.kill(3);
    let refused = eventually("the last node gives up", async || {
        let answer = cluster.introspect(1, &token).await;
        (answer.status != 200).then_some(answer)
    })
    .await;
    assert_eq!(refused.status, 503);
    assert!(!refused.header("retry-after").is_empty());
    let asked = cluster.api(1).post("/oauth2/token").basic(&cluster.admin);
    let answer = asked.form(&[("grant_type", "client_credentials")]).send().await;
    let _ = answer.expect(503);
    let bearer = cluster.api(1).get("/api/v1/agents").bearer(&token).send().await;
    let _ = bearer.expect(503);
    let _ = cluster.api(1).get("/health/ready").send().await.expect(503);
    let keys = cluster.api(1).get("/.well-known/jwks.json").send().await.expect(200);
    assert_eq!(keys.header("cache-control"), "no-cache", "it may lack a key by now");
}

async fn operators_see_and_change_the_members(backend: Backend) {
    let cluster = Cluster::start(backend).await;
    let token = cluster.operator_token();
    let _ = cluster.operator(1).get("/cluster/status").send().await.expect(401);
    let wrong = cluster
        .operator(1)
        .get("/cluster/status")
        .bearer("agentidp_operator_00");
    let _ = wrong.send().await.expect(401);
    let _ = cluster
        .api(1)
        .get("/cluster/status")
        .bearer(&token)
        .send()
        .await
        .expect(404);

    let status = cluster.status(2).await;
    let members = status["members"].as_array().expect("a list");
    assert_eq!(members.len(), 3);
    for member in members {
        assert_eq!(
            (&member["reachable"], &member["voter"], &member["fresh"]),
            (&json!(true), &json!(true), &json!(true))
        );
    }
    let leader = status["leader"].as_u64().expect("a leader");
    let next = leader % 3 + 1;
    let post = |path: &str, body| cluster.operator(1).post(path).bearer(&token).json(&body);
    let _ = post("/cluster/transfer-leader", json!({ "nodeId": next }))
        .send()
        .await
        .expect(202);
    eventually("the leader has handed over", async || {
        (cluster.leader(1).await == Some(next)).then_some(())
    })
    .await;

    let invited = post("/cluster/invites", json!({ "expiresInSeconds": 60 }))
        .send()
        .await
        .expect(201)
        .json();
    let join = |invite: &str, node_id: u64| {
        let (address, voter, format) = ("127.0.0.1:1", false, 3);
        let body =
            json!({ "invite": invite, "nodeId": node_id, "address": address, "voter": voter, "knownFormat": format });
        cluster.operator(2).post("/cluster/join").json(&body).send()
    };
    join("agentidp_invite_forged", 4)
        .await
        .expect_error(409, "CLUSTER_REFUSED");
    let invite = invited["invite"].as_str().expect("a text");
    let nowhere = json!({ "invite": invite, "nodeId": 4, "address": "http://127.0.0.1" });
    let nowhere = cluster.operator(2).post("/cluster/join").json(&nowhere).send().await;
    nowhere.expect_error(400, "VALIDATION_ERROR");
    let _ = join(invite, 4).await.expect(200);
    let _ = join(invite, 4).await.expect(200);
    join(invite, 5).await.expect_error(409, "CLUSTER_REFUSED");
    let members = cluster.status(3).await["members"].as_array().expect("a list").clone();
    assert_eq!((members.len(), &members[3]["reachable"]), (4, &json!(false)));
    let _ = post("/cluster/remove", json!({ "nodeId": 4 })).send().await.expect(204);
    post("/cluster/remove", json!({ "nodeId": "4" }))
        .send()
        .await
        .expect_error(400, "VALIDATION_ERROR");
    assert_eq!(cluster.status(1).await["members"].as_array().map(Vec::len), Some(3));

    let arguments = [
        "cluster",
        "status",
        "--operator",
        cluster.operator_url(1),
        "--operator-token-file",
        cluster.operator_token_file(),
    ];
    let printed = cluster.place().command(&arguments).output().expect("the program runs");
    let table = String::from_utf8_lossy(&printed.stdout).into_owned();
    assert!(
        printed.status.success() && table.contains("leader") && table.lines().count() == 4,
        "{table}"
    );
}

async fn the_metrics_tell_of_the_other_members(backend: Backend) {
    let cluster = Cluster::start(backend).await;
    let leader = cluster.leader(1).await.expect("a leader");
    let lags = |text: &str, peer: u64| {
        let start = format!("agentidp_raft_replication_lag_entries{{peer=\"{peer}\"}} ");
        let lag = text
            .lines()
            .find_map(|line| line.strip_prefix(&start)?.parse::<f64>().ok());
        lag.filter(|lag| !lag.is_nan())
    };
    let metrics = async |node_id| {
        cluster
            .operator(node_id)
            .get("/metrics")
            .send()
            .await
            .expect(200)
            .text()
    };
    let others: Vec<u64> = (1..=3).filter(|node_id| *node_id != leader).collect();
    eventually("the others have all that the leader has", async || {
        let text = metrics(leader).await;
        let is_there = text.contains("agentidp_raft_peer_connections 2\n");
        let has_all = others.iter().all(|peer| lags(&text, *peer) == Some(0.0));
        (is_there && has_all && lags(&text, leader).is_none()).then_some(())
    })
    .await;
    let follower = metrics(others[0]).await;
    assert!(
        (1..=3).all(|peer| lags(&follower, peer).is_none()),
        "only a leader knows"
    );
    cluster.kill(others[1]);
    let _ = cluster
        .revoke(leader, &cluster.token(leader, &cluster.admin, "agents:read").await)
        .await
        .expect(200);
    eventually("one lags and has no connection", async || {
        let text = metrics(leader).await;
        let lags_behind = lags(&text, others[1]).is_some_and(|lag| lag >= 1.0);
        (lags_behind && text.contains("agentidp_raft_peer_connections 1\n")).then_some(())
    })
    .await;
}

/// A request that a node has begun to read, whose last ten bytes are still to come.
async fn slow_request(cluster: &Cluster, node_id: u64) -> Wire {
    let mut slow = Wire::to(cluster.address(node_id)).await;
    slow.send(
        "POST /oauth2/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: 10\r\nExpect: 100-continue\r\n\r\n",
    )
    .await;
    // It is being read: from now on it is in flight.
    let going_on = b"HTTP/1.1 100 Continue\r\n\r\n";
    assert_eq!(slow.read_exact(going_on.len()).await.as_deref(), Some(&going_on[..]));
    slow
}

async fn a_leader_that_is_told_to_stop_hands_over_before_it_has_answered_what_it_was_asked(backend: Backend) {
    let cluster = Cluster::start(backend).await;
    let leader = eventually("a leader", async || cluster.leader(1).await).await;
    let other = leader % 3 + 1;
    let mut slow = slow_request(&cluster, leader).await;
    cluster.terminate(leader);
    eventually("another leader", async || {
        let next = cluster.leader(other).await?;
        (next != leader).then_some(())
    })
    .await;
    let session = cluster.session(other, "agents:read agents:write").await;
    let _ = session.new_agent().await;
    let token = cluster.token(other, &cluster.admin, "agents:read").await;
    let _ = cluster.revoke(other, &token).await.expect(200);
    assert!(!cluster.is_active(other, &token).await);
    slow.send("grant_type").await;
    let (status, text) = slow.response().await.expect("an answer");
    assert_eq!(status, 400, "it was draining all the time: {text}");
}

async fn a_node_that_is_removed_hands_over_and_answers_what_it_was_asked(backend: Backend) {
    let cluster = Cluster::start(backend).await;
    let leader = eventually("a leader", async || cluster.leader(1).await).await;
    let other = leader % 3 + 1;
    let api = cluster.api(leader);
    let mut slow = slow_request(&cluster, leader).await;
    let removing = cluster
        .operator(other)
        .post("/cluster/remove")
        .bearer(&cluster.operator_token());
    let removal = tokio::spawn(removing.json(&json!({ "nodeId": leader })).send());
    eventually("the node is not ready", async || {
        let answer = api.get("/health/ready").send().await;
        (answer.status == 503 && answer.text().contains("removed")).then_some(())
    })
    .await;
    assert!(!removal.is_finished(), "a request is in flight");
    slow.send("grant_type").await;
    let (status, text) = slow.response().await.expect("an answer");
    assert_eq!(status, 400, "{text}");
    let _ = removal.await.expect("no panic").expect(204);
    let next = eventually("another leader", async || cluster.leader(other).await).await;
    assert_ne!(next, leader);
    assert_eq!(cluster.status(other).await["members"].as_array().map(Vec::len), Some(2));
    let token = cluster.token(other, &cluster.admin, "agents:read").await;
    let _ = cluster.revoke(next, &token).await.expect(200);
    assert!(!cluster.is_active(other, &token).await);
}

async fn a_learner_serves_like_any_other_and_is_not_promoted_by_itself(backend: Backend) {
    let cluster = Cluster::start(backend).await;
    let leader = eventually("a leader", async || cluster.leader(1).await).await;
    let (learner, voter) = (leader % 3 + 1, leader);
    let demote = cluster
        .operator(voter)
        .post("/cluster/demote")
        .bearer(&cluster.operator_token());
    let _ = demote.json(&json!({ "nodeId": learner })).send().await.expect(204);
    let role = async || {
        let status = cluster.status(voter).await;
        let members = status["members"].as_array().expect("a list").clone();
        let member = members
            .into_iter()
            .find(|member| member["nodeId"] == learner)
            .expect("a member");
        (member["role"].as_str() == Some("learner") && member["voter"] == false).then_some(member)
    };
    let member = eventually("it is a learner", role).await;
    for known in [
        "term",
        "lastApplied",
        "lag",
        "stalenessMs",
        "fresh",
        "version",
        "uptimeSeconds",
        "region",
    ] {
        assert!(!member[known].is_null(), "{known} of {member}");
    }
    let token = cluster.token(learner, &cluster.admin, "agents:read").await;
    assert!(cluster.is_active(learner, &token).await && cluster.is_active(voter, &token).await);
    let keys = |node_id: u64| cluster.api(node_id).get("/.well-known/jwks.json").send();
    assert_eq!(keys(learner).await.expect(200).body, keys(voter).await.expect(200).body);
    let _ = cluster.revoke(learner, &token).await.expect(200);
    assert!(!cluster.is_active(voter, &token).await && !cluster.is_active(learner, &token).await);
    // Whoever promotes looks twice a second.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(role().await.is_some(), "it stays what it is");
}

async fn a_node_that_was_removed_while_it_was_down_hears_of_it_and_joins_again_with_nothing(backend: Backend) {
    let cluster = Cluster::start(backend).await;
    let ready = async || {
        eventually("node 4 to be ready", async || {
            let answer = cluster.api_of(4).get("/health/ready").try_send().await.ok()?;
            (answer.status == 200).then_some(())
        })
        .await;
    };
    cluster.prepare(4);
    cluster.join(1, 4);
    let mut node = cluster.serve(4);
    ready().await;
    let mark = cluster.folder(4).join("raft/JOINING");
    eventually("node 4 to be no newcomer any more", async || {
        (!mark.exists()).then_some(())
    })
    .await;
    node.kill();
    cluster.cluster_command(1, &["remove", "4"]);

    let exit = cluster.serve(4).exit().await;
    let said = cluster.said(4);
    assert!(
        !exit.success() && said.contains("node 4 was removed from its cluster"),
        "{said}"
    );

    let invite = cluster.invite(2, 4);
    let refused = cluster.try_to_join(2, 4, &invite);
    let reason = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success() && reason.contains("holds a node of a cluster already"),
        "{reason}"
    );
    std::fs::remove_dir_all(cluster.folder(4).join("raft")).expect("it is there");
    let joined = cluster.try_to_join(2, 4, &invite);
    assert!(joined.status.success(), "{}", String::from_utf8_lossy(&joined.stderr));
    let _node = cluster.serve(4);
    ready().await;
}

async fn exit_codes_tell_operators_what_went_wrong(backend: Backend) {
    let cluster = Cluster::start(backend).await;
    let file = cluster.place().scratch.path("wrong.token");
    std::fs::write(&file, "agentidp_operator_of_another_cluster\n").expect("writable");
    let (own, wrong) = (cluster.operator_token_file(), file.display().to_string());
    let nobody = format!("http://{}", ports::free());
    for (words, operator, token, code, reason) in [
        (&["status"][..], cluster.operator_url(1), own, 0, ""),
        (&["status"], cluster.operator_url(1), &wrong, 3, "operator token"),
        (&["status"], &nobody, own, 69, "can't be reached"),
        (&["promote", "9"], cluster.operator_url(1), own, 5, "no node 9"),
        (&["promote", "nine"], cluster.operator_url(1), own, 2, "nine"),
    ] {
        let access = ["--operator", operator, "--operator-token-file", token];
        let command = [&["cluster"], words, &access[..]].concat();
        let output = cluster.command(&command).output().expect("the program runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{words:?}: {said}");
        assert!(said.contains(reason), "{words:?}: {said}");
    }
}
