//! Organizations that a test makes behind the node's back.

use crate::client::Client;
use crate::node::Node;
use crate::store::Store;

/// An organization, and the agents of the system organization that are moved into it.
pub struct Organization<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its slug, which is its name too.
    pub slug: &'a str,
    /// What its tokens are signed with.
    pub signing_algorithm: &'a str,
    /// Who moves, with all credentials.
    pub agents: &'a [&'a Client],
}

impl Organization<'_> {
    /// Everything else is as in the system organization.
    fn statements(&self, store: &Store) -> String {
        let (id, slug, algorithm) = (store.id(self.id), self.slug, self.signing_algorithm);
        let rest = "status, tier, token_ttl_seconds, created_at, updated_at, row_version";
        let insert = format!(
            "INSERT INTO organizations (organization_id, name, slug, signing_algorithm, {rest})
                 SELECT {id}, '{slug}', '{slug}', '{algorithm}', {rest} FROM organizations WHERE slug = 'system';"
        );
        let start = store.blob(&"00".repeat(32));
        let head = format!("INSERT INTO audit_heads (organization_id, sequence, hash) VALUES ({id}, 0, {start});");
        let moves = self.agents.iter().map(|client| {
            let agent = store.id(&client.id);
            format!(
                "UPDATE credentials SET organization_id = {id} WHERE agent_id = {agent};
                 UPDATE agents SET organization_id = {id} WHERE agent_id = {agent};"
            )
        });
        [insert, head].into_iter().chain(moves).collect()
    }
}

impl Node {
    /// Makes organizations while the node is down, and starts it again.
    pub async fn make_organizations(&mut self, organizations: &[Organization<'_>]) {
        assert!(self.stop().await.success());
        for organization in organizations {
            let statements = organization.statements(&self.place.store);
            self.place.store.execute_unchecked(&statements).await;
        }
        self.start_again().await;
    }
}
