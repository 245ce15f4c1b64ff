//! A request about a token: introspection (RFC 7662 §2.1) and revocation (RFC 7009 §2.1), which look the same.

use domain::Secret;

use super::bearer::{BearerError, bearer_token};
use super::client_authentication::{PresentedClient, presented_client};
use super::error::OAuthError;
use super::form::Form;

/// Who asks about a token.
#[derive(Clone)]
pub enum QueryCaller {
    /// A client that authenticates as it does at the token endpoint.
    Client(PresentedClient),
    /// The holder of an access token of its own.
    Bearer(Secret),
}

/// A question about a token, or the order to revoke it. `token_type_hint` is not looked at: one look at the token tells
/// what it is.
#[derive(Clone)]
pub struct TokenQuery {
    /// Who asks.
    pub caller: QueryCaller,
    /// The token that it is about; any text at all.
    pub token: Secret,
}

impl TokenQuery {
    /// Reads the body of a request and its `Authorization` header.
    pub fn parse(body: &[u8], authorization: Option<&str>) -> Result<Self, OAuthError> {
        let form = Form::parse(body)?;
        let caller = caller(authorization, &form)?;
        let token = form
            .get("token")
            .ok_or_else(|| OAuthError::invalid_request("Send token."))?;
        Ok(Self {
            caller,
            token: Secret::new(token),
        })
    }
}

fn caller(authorization: Option<&str>, form: &Form) -> Result<QueryCaller, OAuthError> {
    let bearer = match bearer_token(authorization) {
        Err(BearerError::Missing) => return presented_client(authorization, form).map(QueryCaller::Client),
        other => other?,
    };
    if form.get("client_secret").is_some() {
        return Err(OAuthError::invalid_request(
            "Authenticate in the Authorization header or in the body, not in both.",
        ));
    }
    Ok(QueryCaller::Bearer(Secret::new(bearer)))
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::test_support::{AGENT, SECRET};

    fn code(body: &str, authorization: Option<&str>) -> &'static str {
        let refused = TokenQuery::parse(body.as_bytes(), authorization).err();
        refused.expect("must be refused").code.as_str()
    }

    #[test]
    fn a_client_or_a_bearer_asks() {
        let basic = format!("Basic {}", STANDARD.encode(format!("{AGENT}:{SECRET}")));
        let post = format!("token=a.b.c&client_id={AGENT}&client_secret={SECRET}&token_type_hint=nonsense");
        for query in [
            TokenQuery::parse(b"token=a.b.c", Some(&basic)),
            TokenQuery::parse(post.as_bytes(), None),
        ] {
            let query = query.expect("well-formed");
            assert_eq!(query.token.expose(), "a.b.c");
            assert!(matches!(query.caller, QueryCaller::Client(client) if client.client_id == AGENT));
        }
        let query = TokenQuery::parse(b"token=x", Some("Bearer d.e.f")).expect("well-formed");
        assert!(matches!(query.caller, QueryCaller::Bearer(token) if token.expose() == "d.e.f"));
    }

    #[test]
    fn the_token_and_one_authentication_are_required() {
        assert_eq!(code("", Some("Bearer d.e.f")), "invalid_request");
        assert_eq!(code("token=", Some("Bearer d.e.f")), "invalid_request");
        assert_eq!(code("token=a&token=b", Some("Bearer d.e.f")), "invalid_request");
        assert_eq!(code("token=a", None), "invalid_client");
        assert_eq!(code("token=a", Some("Digest x")), "invalid_client");
        assert_eq!(code("token=a", Some("Bearer ")), "invalid_request");
        assert_eq!(
            code("token=a&client_id=x&client_secret=y", Some("Bearer d")),
            "invalid_request"
        );
    }

    proptest::proptest! {
        #[test]
        fn any_request_is_read_or_refused(
            body in proptest::collection::vec(proptest::num::u8::ANY, 0..120),
            authorization in proptest::option::of(".{0,40}"),
        ) {
            let _ = TokenQuery::parse(&body, authorization.as_deref());
        }
    }
}
