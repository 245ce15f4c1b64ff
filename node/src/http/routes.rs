//! Every route of the node, and nothing else.

use actors::LimitClass;
use http::Method;

use super::resource::Resource;
use super::{agents, audit, credentials, health, oauth, operator, wellknown};

/// What agents and resource servers call.
pub fn public() -> Vec<Resource> {
    let (get, post, patch, delete) = (Method::GET, Method::POST, Method::PATCH, Method::DELETE);
    vec![
        // The hot ones first: the table is searched from the top.
        Resource::at("/oauth2/token")
            .speaking_oauth()
            .on(post.clone(), oauth::token::handle),
        Resource::at("/oauth2/introspect")
            .speaking_oauth()
            .on(post.clone(), oauth::introspect::handle),
        Resource::at("/oauth2/revoke")
            .speaking_oauth()
            .on(post.clone(), oauth::revoke::handle),
        Resource::at("/health").on(get.clone(), health::live::handle),
        Resource::at("/.well-known/jwks.json").on(get.clone(), oauth::jwks::handle),
        Resource::at("/oauth2/jwks").on(get.clone(), oauth::jwks::handle),
        // The same handlers under the paths that older clients know.
        Resource::at("/api/v1/token")
            .speaking_oauth()
            .on(post.clone(), oauth::token::handle),
        Resource::at("/api/v1/token/introspect")
            .speaking_oauth()
            .on(post.clone(), oauth::introspect::handle),
        Resource::at("/api/v1/token/revoke")
            .speaking_oauth()
            .on(post.clone(), oauth::revoke::handle),
        // Discovery.
        Resource::at("/.well-known/oauth-authorization-server")
            .on(get.clone(), wellknown::authorization_server::handle),
        Resource::at("/.well-known/openid-configuration").on(get.clone(), wellknown::openid_configuration::handle),
        Resource::at("/agent-info").on(get.clone(), oauth::agent_info::handle),
        // Agents and their credentials.
        Resource::at("/api/v1/agents")
            .on(get.clone(), agents::list::handle)
            .on(post.clone(), agents::register::handle),
        Resource::at("/api/v1/agents/{agentId}")
            .on(get.clone(), agents::get::handle)
            .on(patch, agents::update::handle)
            .on(delete.clone(), agents::decommission::handle),
        Resource::at("/api/v1/agents/{agentId}/credentials")
            .on(get.clone(), credentials::list::handle)
            .on(post.clone(), credentials::generate::handle),
        Resource::at("/api/v1/agents/{agentId}/credentials/{credentialId}").on(delete, credentials::revoke::handle),
        Resource::at("/api/v1/agents/{agentId}/credentials/{credentialId}/rotate")
            .on(post, credentials::rotate::handle),
        // The audit log.
        Resource::at("/api/v1/audit").on(get.clone(), audit::list::handle),
        Resource::at("/api/v1/audit/verify").limited_on(get.clone(), LimitClass::Verify, audit::verify::handle),
        Resource::at("/api/v1/audit/{eventId}").on(get.clone(), audit::get::handle),
        // How the node feels.
        Resource::at("/health/ready").on(get.clone(), health::ready::handle),
        Resource::at("/health/detailed").on(get, health::detailed::handle),
    ]
}

/// What operators and their monitoring call, on a listener of its own that is not reachable from outside.
pub fn operator() -> Vec<Resource> {
    let (get, post) = (Method::GET, Method::POST);
    vec![
        Resource::at("/metrics").on(get.clone(), operator::metrics::handle),
        Resource::at("/cluster/status").on(get.clone(), operator::cluster::status::handle),
        Resource::at("/cluster/members").on(get.clone(), operator::cluster::members::handle),
        Resource::at("/cluster/invites").on(post.clone(), operator::cluster::invite::handle),
        Resource::at("/cluster/join").on(post.clone(), operator::cluster::join::handle),
        Resource::at("/cluster/promote").on(post.clone(), operator::cluster::promote::handle),
        Resource::at("/cluster/demote").on(post.clone(), operator::cluster::demote::handle),
        Resource::at("/cluster/remove").on(post.clone(), operator::cluster::remove::handle),
        Resource::at("/cluster/transfer-leader").on(post.clone(), operator::cluster::transfer_leader::handle),
        Resource::at("/cluster/snapshot")
            .on(get.clone(), operator::cluster::save::handle)
            .on(post.clone(), operator::cluster::snapshot::handle),
        Resource::at("/cluster/keys").on(get.clone(), operator::cluster::keys::handle),
        Resource::at("/cluster/rotate-keys").on(post, operator::cluster::rotate_keys::handle),
        Resource::at("/health").on(get.clone(), health::live::handle),
        Resource::at("/health/ready").on(get.clone(), health::ready::handle),
        Resource::at("/health/detailed").on(get, health::detailed::handle),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::policy::AccessRules;

    #[test]
    fn every_route_has_a_rule_and_every_rule_a_route() {
        let rules = AccessRules::built_in().expect("the built-in rules are readable");
        let (public, operator) = (public(), operator());
        let all = || public.iter().chain(&operator);
        rules
            .check_complete(all().flat_map(Resource::rule_names))
            .expect("complete");
        let named: BTreeSet<String> = all()
            .flat_map(Resource::rule_names)
            .map(|(method, path)| format!("{method} {path}"))
            .collect();
        let stale: Vec<&str> = rules.names().filter(|name| !named.contains(*name)).collect();
        assert!(stale.is_empty(), "rules without a route: {stale:?}");
    }

    #[test]
    fn no_template_stands_twice_in_a_table() {
        for table in [public(), operator()] {
            let templates: BTreeSet<&str> = table.iter().map(Resource::template).collect();
            assert_eq!(templates.len(), table.len());
        }
    }
}
