//! Why a token is not accepted. For logs and counters; callers learn no more than `invalid_token`.

/// Why a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum TokenRejection {
    /// It is longer than any that we issue.
    #[error("the token is too long")]
    TooLong,
    /// It is not three base64url segments, or its header or claims are not the JSON that they must be.
    #[error("the token is malformed")]
    Malformed,
    /// Its header asks for something that we don't do: `crit`, `b64` or `zip`.
    #[error("the token's header has an extension that is not understood")]
    UnsupportedHeader,
    /// Its `typ` is another, such as an ID token's.
    #[error("the token is of another type")]
    WrongType,
    /// Its `kid` is missing or names no key of ours.
    #[error("the token names no key of this installation")]
    UnknownKey,
    /// Its `alg` is not the algorithm of its key.
    #[error("the token's algorithm is not its key's")]
    WrongAlgorithm,
    /// Its signature is not its key's.
    #[error("the token's signature is wrong")]
    BadSignature,
    /// It has expired.
    #[error("the token has expired")]
    Expired,
    /// Its time has not come.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// It is another issuer's.
    #[error("the token was issued by somebody else")]
    WrongIssuer,
    /// It is meant for somebody else.
    #[error("the token is meant for another audience")]
    WrongAudience,
}

impl TokenRejection {
    /// A name for counters and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::Malformed => "malformed",
            Self::UnsupportedHeader => "unsupported_header",
            Self::WrongType => "wrong_type",
            Self::UnknownKey => "unknown_key",
            Self::WrongAlgorithm => "wrong_algorithm",
            Self::BadSignature => "bad_signature",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::WrongIssuer => "wrong_issuer",
            Self::WrongAudience => "wrong_audience",
        }
    }
}
