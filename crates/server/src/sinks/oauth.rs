//! Servers that want a token by OAuth 2.0 client credentials (RFC 6749 §4.4) with each request.

use std::sync::{Mutex, PoisonError};

use dskpp_crypto::Secret;
use reqwest::header::AUTHORIZATION;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::Failure;
use super::http::{Server, body, check, send};

/// Who asks for tokens, and where.
pub(super) struct Client {
    pub(super) server: Server,
    /// The path of the token endpoint below the server's URL.
    pub(super) path: Vec<String>,
    pub(super) id: String,
    pub(super) secret: Secret,
    pub(super) scope: Option<&'static str>,
    /// The last token.
    pub(super) token: Mutex<Option<Zeroizing<String>>>,
}

impl Client {
    /// The answer to a request that `request` makes; with a new token if the last one is not good any more.
    pub(super) async fn call(&self, request: impl Fn() -> RequestBuilder) -> Result<Response, Failure> {
        let known = self.token.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(token) = known {
            let answer = send(with_token(request(), &token)).await?;
            if answer.status() != StatusCode::UNAUTHORIZED {
                return Ok(answer);
            }
        }
        let token = self.authenticate().await?;
        send(with_token(request(), &token)).await
    }

    /// The same, for an answer that must be a success.
    pub(super) async fn ask(&self, request: impl Fn() -> RequestBuilder) -> Result<Response, Failure> {
        let answer = self.call(request).await?;
        check(answer.status()).map(|()| answer)
    }

    pub(super) async fn authenticate(&self) -> Result<Zeroizing<String>, Failure> {
        #[derive(Deserialize)]
        struct Token {
            access_token: String,
        }
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        let request = self.server.request_below(Method::POST, &path);
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(self.form());
        let answer = send(request).await?;
        let refused = |why| Failure::Down(format!("no authentication: {why}"));
        check(answer.status()).map_err(refused)?;
        let answer = body(answer).await?;
        let token: Token = serde_json::from_slice(answer.expose())
            .map_err(|_| Failure::Down("no authentication: the answer has no token".to_owned()))?;
        let token = Zeroizing::new(token.access_token);
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = Some(token.clone());
        Ok(token)
    }

    /// The request for a token.
    fn form(&self) -> String {
        let secret = Zeroizing::new(String::from_utf8_lossy(self.secret.expose()).into_owned());
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials").append_pair("client_id", &self.id);
        form.append_pair("client_secret", &secret);
        self.scope.iter().for_each(|scope| _ = form.append_pair("scope", scope));
        form.finish()
    }
}

fn with_token(request: RequestBuilder, token: &str) -> RequestBuilder {
    let header = Zeroizing::new(format!("Bearer {token}"));
    request.header(AUTHORIZATION, header.as_str())
}

/// An answer as JSON; what it has beside is dropped unseen.
pub(super) async fn json<T: serde::de::DeserializeOwned>(answer: Response) -> Result<T, Failure> {
    let body = body(answer).await?;
    serde_json::from_slice(body.expose()).map_err(|_| Failure::Refused("its answer cannot be read".to_owned()))
}
