//! What is printed when a development cluster is ready.

use serde_json::json;

use super::children::Children;
use super::layout::{Administrator, Layout};

/// One line for programs.
pub fn as_json(layout: &Layout, administrator: &Administrator, children: &Children) -> String {
    let processes = children.nodes();
    let pid = |node_id: u64| {
        processes
            .iter()
            .find(|node| node.node_id == node_id)
            .map(|node| node.pid)
    };
    let members = layout.members().iter();
    let nodes: Vec<_> = members
        .map(|member| {
            json!({
                "nodeId": member.node_id,
                "url": member.url(),
                "operatorUrl": member.operator_url(),
                "pid": pid(member.node_id),
            })
        })
        .collect();
    json!({
        "issuer": layout.issuer(),
        "clientId": administrator.client_id,
        "clientSecret": administrator.client_secret.as_ref().map(domain::Secret::expose),
        "organizationId": administrator.organization_id,
        "dataDir": layout.data_dir(),
        "operatorTokenFile": layout.operator_token_file(),
        "nodes": nodes,
        "pid": std::process::id(),
    })
    .to_string()
}

/// A page for people; `store` is which store the nodes share.
pub fn as_page(layout: &Layout, administrator: &Administrator, children: &Children, store: &str) -> String {
    let mut nodes = String::new();
    for (member, process) in layout.members().iter().zip(children.nodes()) {
        nodes += &format!(
            "  node {}     {}   operators {}   pid {}   log {}\n",
            member.node_id,
            member.url(),
            member.operator_url(),
            process.pid,
            member.log_file().display()
        );
    }
    let place = format!(
        "AgentIdP {}: {} nodes are ready.\n\n{nodes}  issuer     {}\n  data       {}\n  store      {store}\n",
        env!("CARGO_PKG_VERSION"),
        layout.members().len(),
        layout.issuer(),
        layout.data_dir().display()
    );
    match &administrator.client_secret {
        Some(secret) => format!(
            "{place}{}",
            first_steps(layout, &administrator.client_id, secret.expose())
        ),
        None => format!(
            "{place}\nThe administrator's client id is {}. Its secret was shown at the first start.\n",
            administrator.client_id
        ),
    }
}

fn first_steps(layout: &Layout, id: &str, secret: &str) -> String {
    let url = |index: usize| layout.members()[index % layout.members().len()].url();
    let (one, two, three) = (url(0), url(1), url(2));
    // The first node founded the cluster and mostly leads it; whoever kills it still wants to see the others.
    let (operator, token_file) = (
        layout.members().last().unwrap_or(layout.first()).operator_url(),
        layout.operator_token_file().display().to_string(),
    );
    format!(
        r#"
The administrator's credentials, shown this once:

  client id      {id}
  client secret  {secret}

A token from one node, looked at by another, killed at a third, dead at the first; paste into another terminal:

  TOKEN=$(curl -s -u '{id}:{secret}' -d grant_type=client_credentials {one}/oauth2/token | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
  curl -s -w '\n' -u '{id}:{secret}' -d "token=$TOKEN" {two}/oauth2/introspect
  curl -s -w '\n' -u '{id}:{secret}' -d "token=$TOKEN" {three}/oauth2/revoke
  curl -s -w '\n' -u '{id}:{secret}' -d "token=$TOKEN" {one}/oauth2/introspect

The members; kill -9 the leader's pid and look again:

  agentidp cluster status --operator {operator} --operator-token-file {token_file}

Ctrl-C stops all nodes; everything is kept.
"#
    )
}
