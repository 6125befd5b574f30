//! Export of keys: one PSKC document (RFC 6030), written while it is sent.

use axum::body::{Body as Content, Bytes};
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use data_encoding::HEXLOWER_PERMISSIVE;
use dskpp_api::{ExportEnd, ExportProtection, LeftOut, LeftOutKey, MEDIA_TYPE_PSKC};
use dskpp_crypto::{Hash, RsaEncryption, Secret, SystemRandom};
use futures_util::stream;
use pskc::{ContainerWriter, Header, KeyInfo, PasswordStrength, ProtectionError, Protector};

use super::ApiState;
use super::caller::Caller;
use super::problem::{ApiProblem, Body};
use super::users::{certificate, name};
use crate::store::{Outgoing, Store, StoreError, Unreadable};

/// Keys in memory at a time.
const PAGE: usize = 1000;
/// Maximum number of omitted keys to list.
const MAX_LISTED: usize = 100;
/// The shortest passphrase, in characters.
const MIN_PASSPHRASE_LEN: usize = 8;

/// How the secrets are protected.
enum Wanted {
    Key { key: Secret, name: String },
    Passphrase(Secret, PasswordStrength),
    Certificate(Vec<u8>),
    Plain,
}

impl Wanted {
    fn of(wanted: ExportProtection) -> Result<Wanted, ApiProblem> {
        let strength = match wanted.for_old_readers {
            None | Some(false) => PasswordStrength::TODAY,
            Some(true) if wanted.passphrase.is_some() => PasswordStrength::OLD,
            Some(true) => return Err(ApiProblem::value("for_old_readers requires a passphrase")),
        };
        match (wanted.key_hex, wanted.key_name, wanted.passphrase, wanted.certificate_pem, wanted.plain) {
            (Some(hex), Some(key_name), None, None, None) => {
                let key = HEXLOWER_PERMISSIVE.decode(hex.expose().as_bytes()).ok().map(Secret::new);
                let key = key.filter(|key| matches!(key.len(), 16 | 24 | 32));
                let key = key.ok_or_else(|| ApiProblem::value("key_hex must be 16, 24 or 32 octets in hexadecimal"))?;
                Ok(Wanted::Key { key, name: name("key_name", &key_name)? })
            }
            (None, None, Some(passphrase), None, None) if passphrase.expose().chars().count() < MIN_PASSPHRASE_LEN => {
                Err(ApiProblem::value(format!("passphrase must have {MIN_PASSPHRASE_LEN} characters or more")))
            }
            (None, None, Some(passphrase), None, None) => {
                Ok(Wanted::Passphrase(Secret::from_slice(passphrase.expose().as_bytes()), strength))
            }
            (None, None, None, Some(pem), None) => Ok(Wanted::Certificate(certificate(&pem)?)),
            (None, None, None, None, Some(true)) => Ok(Wanted::Plain),
            _ => Err(ApiProblem::value(
                "protection must be one of key_hex with key_name, passphrase, certificate_pem, or plain: true",
            )),
        }
    }

    /// The name in the audit trail.
    fn kind(&self) -> &'static str {
        match self {
            Wanted::Key { .. } => "key",
            Wanted::Passphrase(..) => "passphrase",
            Wanted::Certificate(_) => "certificate",
            Wanted::Plain => "plain",
        }
    }

    /// Slow for a passphrase.
    fn protector(self) -> Result<Option<Protector>, ProtectionError> {
        let rng = &mut SystemRandom;
        Ok(Some(match self {
            Wanted::Plain => return Ok(None),
            Wanted::Key { key, name } => Protector::aes_cbc(key, &name, Hash::Sha256, rng)?,
            Wanted::Passphrase(password, strength) => Protector::passphrase(&password, None, strength, rng)?,
            Wanted::Certificate(der) => {
                let key = KeyInfo::from_certificates(vec![der]);
                Protector::rsa(key, RsaEncryption::OaepSha1, Some(Hash::Sha256), rng)?
            }
        }))
    }
}

pub(super) async fn export(
    State(api): State<ApiState>,
    caller: Caller,
    Body(body): Body<dskpp_api::ExportRequest>,
) -> Result<Response, ApiProblem> {
    let wanted = Wanted::of(body.protection)?;
    let kind = wanted.kind();
    let protector = blocking(move || wanted.protector()).await?.map_err(|why| ApiProblem::value(why.to_string()))?;
    let user = body.user;
    api.store.begin_export(user.clone(), kind, caller.id().to_owned()).await?;
    let header = Header {
        encryption_key: protector.as_ref().map(|protector| protector.encryption_key().clone()),
        mac_method: protector.as_ref().and_then(Protector::mac_method).cloned(),
        ..Header::default()
    };
    let writer = ContainerWriter::new(Vec::new(), &header).map_err(|_| StoreError::Unavailable("memory".into()))?;
    let left_out = body.leave_out_unreadable.then(LeftOut::default);
    let export = RunningExport { store: api.store, user, after: String::new(), writer, protector, left_out };
    // An error on the first page is the answer; later, the export can only break off.
    let (first, rest) = export.next().await.map_err(|why| match why {
        Broken::Store(why) => ApiProblem::from(why),
        Broken::Protection(why) => ApiProblem::value(why.to_string()),
    })?;
    let rest = stream::try_unfold((Some(first), rest), |(first, rest)| async move {
        match (first, rest) {
            (Some(first), rest) => Ok(Some((first, (None, rest)))),
            (None, Some(export)) => {
                let next = export.next().await;
                let (chunk, rest) = next.inspect_err(|why| tracing::error!("an export was aborted: {why}"))?;
                Ok::<_, Broken>(Some((chunk, (None, rest))))
            }
            (None, None) => Ok(None),
        }
    });
    let mut response = Content::from_stream(rest).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE_PSKC));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Runs a computation on a blocking thread.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, StoreError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| StoreError::Unavailable("a computation panicked".into()))
}

/// Why an export cannot continue.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Protection(#[from] ProtectionError),
}

/// An export in progress.
struct RunningExport {
    store: Store,
    user: Option<String>,
    /// The last key written.
    after: String,
    writer: ContainerWriter<Vec<u8>>,
    protector: Option<Protector>,
    /// `None`: the first unreadable key ends the export.
    left_out: Option<LeftOut>,
}

/// Records an unreadable key.
fn leave_out(left_out: &mut LeftOut, key_id: &str, why: &StoreError) {
    tracing::error!("omitted from an export: {why}");
    left_out.count += 1;
    if left_out.keys.len() < MAX_LISTED {
        left_out.keys.push(LeftOutKey { key_id: key_id.to_owned(), reason: why.to_string() });
    }
}

/// An XML comment, which must not contain two consecutive hyphens.
fn comment(left_out: LeftOut) -> serde_json::Result<String> {
    let document = serde_json::to_string(&ExportEnd { left_out })?;
    Ok(format!("\n<!-- {} -->\n", document.replace("--", "-\\u002d")))
}

impl RunningExport {
    /// The next part of the document, and the export unless that was the last part.
    async fn next(self) -> Result<(Bytes, Option<Self>), Broken> {
        let page = self.store.export_page(self.user.clone(), self.after.clone(), PAGE).await?;
        blocking(move || self.write(&page)).await?
    }

    fn write(mut self, page: &[Result<Outgoing, Unreadable>]) -> Result<(Bytes, Option<Self>), Broken> {
        let memory = |_| StoreError::Unavailable("no memory".into()); // writing to a Vec cannot fail otherwise
        for key in page {
            let opened = key.as_ref().map_err(|why| why.clone().into()).and_then(|key| self.store.package(key));
            let mut package = match (opened, &mut self.left_out) {
                (Ok(package), _) => package,
                (Err(why @ (StoreError::Row(_) | StoreError::Sealed(_))), Some(left_out)) => {
                    leave_out(left_out, id_of(key), &why);
                    continue;
                }
                (Err(why), _) => return Err(why.into()),
            };
            let data = package.key.as_mut().and_then(|key| key.data.as_mut());
            if let (Some(protector), Some(data)) = (&self.protector, data) {
                protector.protect(data, &mut SystemRandom)?;
            }
            self.writer.package(&package).map_err(memory)?;
        }
        match page.last().filter(|_| page.len() == PAGE) {
            Some(last) => {
                id_of(last).clone_into(&mut self.after);
                self.writer.flush().map_err(memory)?;
                Ok((std::mem::take(self.writer.get_mut()).into(), Some(self)))
            }
            None => {
                let mut end = self.writer.finish(&[]).map_err(memory)?;
                if let Some(left_out) = self.left_out.filter(|left_out| left_out.count > 0) {
                    let comment = comment(left_out).map_err(|_| StoreError::Unavailable("no memory".into()))?;
                    end.extend(comment.into_bytes());
                }
                Ok((end.into(), None))
            }
        }
    }
}

fn id_of(key: &Result<Outgoing, Unreadable>) -> &str {
    match key {
        Ok(key) => &key.record.id,
        Err(why) => &why.row,
    }
}
