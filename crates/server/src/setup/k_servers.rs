//! The K_SERVERs: one from the configuration, or those of the store, which all servers on it share.
//!
//! New runs take the newest that is in use; the session says which one it was begun with. A server takes up what others
//! have added within seconds, and at once where a session names it. All that new runs take are certified by the same CA,
//! so that no client has to ask (profile P29).

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use dskpp::server::ServerK;
use dskpp_crypto::{RsaPrivateKey, RsaPublicKey, Secret, Sha256};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use x509_parser::parse_x509_certificate;

use crate::net::private_ca::PrivateCa;
use crate::platform::warn_of_exposed_key;
use crate::store::{Store, StoreError};
use crate::{Config, Error, files};

/// Size of a generated K_SERVER, in bits.
const BITS: usize = 2048;

/// A K_SERVER.
#[derive(Debug)]
pub(crate) struct KServer {
    /// Distinguishes K_SERVERs: the first octets of the digest of the modulus, hexadecimal.
    pub(crate) id: String,
    pub(crate) k: ServerK,
    /// As clients show it.
    pub(crate) fingerprint: String,
    /// Its certificate chain, in DER (profile P29), if any.
    pub(crate) certificate: Vec<Vec<u8>>,
}

/// A K_SERVER and its times, in seconds since 1970.
#[derive(Clone, Debug)]
pub(crate) struct KnownKServer {
    pub(crate) k_server: Arc<KServer>,
    /// `None`: from the configuration.
    pub(crate) created_at: Option<i64>,
    /// `None`: in use.
    pub(crate) retired_at: Option<i64>,
}

/// The K_SERVERs of a server.
#[derive(Debug)]
pub(crate) struct KServers {
    store: Store,
    ca: Option<PrivateCa>,
    is_configured: bool,
    known: RwLock<Known>,
}

#[derive(Clone, Debug)]
struct Known {
    /// New runs take it.
    newest: Arc<KServer>,
    /// Those of the store, in the order in which they were made.
    stored: Vec<KnownKServer>,
}

impl KServers {
    /// Those of a configuration and its store; makes the first one.
    pub(crate) async fn open(config: &Config, store: &Store) -> Result<Self, Error> {
        let configured = configured(config)?.map(Arc::new);
        let is_configured = configured.is_some();
        if !is_configured && store.k_servers().await?.is_empty() {
            make_first(store).await?;
        }
        let stored = stored(store, &[]).await?;
        let newest = configured.or_else(|| newest(&stored)).ok_or_else(none_in_use)?;
        tracing::info!("K_SERVER has the fingerprint {}", newest.fingerprint);
        let known = RwLock::new(Known { newest, stored });
        Ok(KServers { store: store.clone(), ca: None, is_configured, known })
    }

    /// Has a CA certify what has no certificate of its own.
    pub(crate) fn certify_by(&mut self, ca: PrivateCa) -> Result<(), Error> {
        let known = self.known.get_mut().unwrap_or_else(PoisonError::into_inner);
        if known.newest.certificate.is_empty() {
            known.newest = certified(&known.newest, Some(&ca))?;
        }
        self.ca = Some(ca);
        Ok(())
    }

    /// The one that new runs take.
    pub(crate) fn newest(&self) -> Arc<KServer> {
        Arc::clone(&self.read().newest)
    }

    /// The one of a session; `None` for one that no session can need any more.
    pub(crate) async fn find(&self, id: &str) -> Result<Option<Arc<KServer>>, Error> {
        let found = self.read().find(id);
        if found.is_some() {
            return Ok(found);
        }
        self.renew().await?; // another server has added it
        Ok(self.read().find(id))
    }

    /// Takes up what other servers have added or retired.
    pub(crate) async fn renew(&self) -> Result<(), Error> {
        let Known { newest: current, stored: before } = self.known();
        let stored = stored(&self.store, &before).await?;
        let next = match self.is_configured {
            true => Arc::clone(&current),
            false => newest(&stored).ok_or_else(none_in_use)?,
        };
        let next = match next.id == current.id {
            true => current,
            false => {
                tracing::info!("new runs take the K_SERVER {} with the fingerprint {}", next.id, next.fingerprint);
                certified(&next, self.ca.as_ref())?
            }
        };
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Known { newest: next, stored };
        Ok(())
    }

    /// All that there are, the newest first, and whether new runs take it.
    pub(crate) async fn list(&self) -> Result<Vec<(KnownKServer, bool)>, Error> {
        self.renew().await?;
        let Known { newest, mut stored } = self.known();
        if self.is_configured {
            stored.push(KnownKServer { k_server: Arc::clone(&newest), created_at: None, retired_at: None });
        }
        let is_newest = |known: &KnownKServer| known.k_server.id == newest.id;
        Ok(stored.into_iter().rev().map(|known| (known.clone(), is_newest(&known))).collect())
    }

    /// Makes another one, which new runs take from then on; gives its id. `by` is the caller's token.
    pub(crate) async fn add(&self, by: String) -> Result<String, Error> {
        self.check_stored()?;
        let made = tokio::task::spawn_blocking(make).await;
        let (id, key) = made.map_err(|why| Error::System { what: "making a key", source: why.into() })??;
        self.store.add_k_server(id.clone(), key, by).await?;
        self.renew().await?;
        Ok(id)
    }

    /// Takes one out of use.
    pub(crate) async fn retire(&self, id: &str, by: String) -> Result<(), Error> {
        self.check_stored()?;
        self.store.retire_k_server(id, by).await?;
        self.renew().await
    }

    fn check_stored(&self) -> Result<(), StoreError> {
        match self.is_configured {
            true => Err(StoreError::State("K_SERVER comes from the configuration: change k_server.key there")),
            false => Ok(()),
        }
    }

    fn known(&self) -> Known {
        self.read().clone()
    }

    fn read(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn find(&self, id: &str) -> Option<Arc<KServer>> {
        let mut all = std::iter::once(&self.newest).chain(self.stored.iter().map(|known| &known.k_server));
        all.find(|k_server| k_server.id == id).cloned()
    }
}

impl KServer {
    fn new(key: RsaPrivateKey, certificate: Vec<Vec<u8>>) -> Self {
        let digest = Sha256::digest(&[&key.public().to_spki_der()]);
        let fingerprint = format!("sha256:{}", data_encoding::HEXLOWER.encode(&digest));
        KServer { id: id_of(&key), k: ServerK::Server(Arc::new(key)), fingerprint, certificate }
    }
}

fn id_of(key: &RsaPrivateKey) -> String {
    let digest = Sha256::digest(&[key.public().modulus()]);
    data_encoding::HEXLOWER.encode(digest.first_chunk::<8>().map_or(&[], |part| part))
}

fn none_in_use() -> Error {
    StoreError::Damaged("none of its K_SERVERs can be used".into()).into()
}

/// The newest that is in use.
fn newest(stored: &[KnownKServer]) -> Option<Arc<KServer>> {
    let in_use = stored.iter().rev().find(|known| known.retired_at.is_none());
    in_use.map(|known| Arc::clone(&known.k_server))
}

/// What the store has; keys that are known already are not read anew.
async fn stored(store: &Store, known: &[KnownKServer]) -> Result<Vec<KnownKServer>, Error> {
    let mut all = Vec::new();
    for stored in store.k_servers().await? {
        let before = known.iter().find(|known| known.k_server.id == stored.id);
        let k_server = match before {
            Some(known) => Arc::clone(&known.k_server),
            None => Arc::new(KServer::new(read(&stored.key)?, Vec::new())),
        };
        all.push(KnownKServer { k_server, created_at: Some(stored.created_at), retired_at: stored.retired_at });
    }
    Ok(all)
}

fn certified(k_server: &KServer, ca: Option<&PrivateCa>) -> Result<Arc<KServer>, Error> {
    let certificate = match (&k_server.k, ca) {
        (ServerK::Server(key), Some(ca)) => ca.certify(key.public())?,
        _ => Vec::new(),
    };
    let KServer { id, k, fingerprint, .. } = k_server;
    Ok(Arc::new(KServer { id: id.clone(), k: k.clone(), fingerprint: fingerprint.clone(), certificate }))
}

/// Several servers may start at once: one of them makes it.
async fn make_first(store: &Store) -> Result<(), Error> {
    let key = match store.first_k_server().await? {
        Some(key) => key,
        None => store.claim_first_k_server(make()?.1).await?,
    };
    Ok(store.put_first_k_server(id_of(&read(&key)?), key).await?)
}

/// A new key, and its id.
fn make() -> Result<(String, Secret), Error> {
    let key = RsaPrivateKey::generate(BITS).map_err(|source| Error::StoredKey { what: "K_SERVER", source })?;
    Ok((id_of(&key), key.to_pkcs8_der().clone()))
}

fn read(key: &Secret) -> Result<RsaPrivateKey, Error> {
    RsaPrivateKey::from_pkcs8_der(key.expose()).map_err(|source| Error::StoredKey { what: "K_SERVER", source })
}

/// The operator's own.
pub(crate) fn configured(config: &Config) -> Result<Option<KServer>, Error> {
    let path = &config.k_server.key;
    if path.as_os_str().is_empty() {
        return Ok(None);
    }
    let key = read_rsa_key(path)?;
    let certificate = match &config.k_server.certificate {
        path if path.as_os_str().is_empty() => Vec::new(),
        path => read_certificate_of(path, key.public())?,
    };
    Ok(Some(KServer::new(key, certificate)))
}

fn read_rsa_key(path: &Path) -> Result<RsaPrivateKey, Error> {
    warn_of_exposed_key(path);
    let pem = Secret::new(files::read_text(path)?.into_bytes());
    let content = |why: String| Error::Content {
        path: path.to_owned(),
        what: "K_SERVER",
        why: format!("{why}; use an RSA key of 2048 to 4096 bits in a PRIVATE KEY block (PKCS #8)"),
    };
    let der = PrivatePkcs8KeyDer::from_pem_slice(pem.expose()).map_err(|why| content(why.to_string()))?;
    RsaPrivateKey::from_pkcs8_der(der.secret_pkcs8_der()).map_err(|why| content(why.to_string()))
}

fn read_certificate_of(path: &Path, key: &RsaPublicKey) -> Result<Vec<Vec<u8>>, Error> {
    let chain = files::read_certificates(path)?;
    let certified = |leaf: &CertificateDer<'_>| {
        let (_, certificate) = parse_x509_certificate(leaf).ok()?;
        RsaPublicKey::from_spki_der(certificate.public_key().raw).ok()
    };
    match chain.first().and_then(certified) {
        Some(certified) if certified.to_spki_der() == key.to_spki_der() => {
            Ok(chain.iter().map(|certificate| certificate.to_vec()).collect())
        }
        _ => Err(Error::Content {
            path: path.to_owned(),
            what: "K_SERVER's certificate",
            why: "its first certificate does not match the key in k_server.key".into(),
        }),
    }
}
