//! Enrolls at a server, then uses the new key: list, one-time password, rename, delete.
//!
//! ```text
//! DSKPP_STORE_PASSPHRASE='correct horse' \
//!     cargo run -p dskpp-client --example enroll -- https://localhost:8443/dskpp CODE tokens.db dskpp-data/tls/ca.pem
//! ```

use std::error::Error;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use dskpp_client::{
    Credential, EnrollRequest, FileStore, OtpInput, Secret, TokenStore, Transport, TransportOptions, Unlock, enroll,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(url), Some(code), Some(store)) = (args.next(), args.next(), args.next()) else {
        return Err("give the URL, the authentication code, the store, and the CA file if the server needs one".into());
    };
    let passphrase = Secret::from(std::env::var("DSKPP_STORE_PASSPHRASE")?.into_bytes());
    let mut store = FileStore::open_or_create(Path::new(&store), &Unlock::Passphrase(passphrase))?;
    life_of_a_token(url, &code, args.next().map(PathBuf::from), &mut store, &mut std::io::stdout()).await
}

/// Any store will do.
pub async fn life_of_a_token(
    url: String,
    code: &str,
    ca: Option<PathBuf>,
    store: &mut impl TokenStore,
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    let request = EnrollRequest::new(Some(url), Credential::Code(code.parse()?));
    let transport = Transport::new(&TransportOptions::trusting(ca))?;
    let id = enroll(&transport, store, request).await?.key_id;

    for token in store.load()?.iter() {
        writeln!(out, "{} {}", token.id, token.key_type)?;
    }
    let otp = store.otp(&id, &OtpInput::at(SystemTime::now()))?; // saved before it is here
    writeln!(out, "{}", otp.code)?;

    store.change(|tokens| tokens.rename(&id, Some("Bank".into())))?;
    writeln!(out, "renamed to {}", store.load()?.find("Bank")?.label.as_deref().unwrap_or_default())?;
    store.change(|tokens| tokens.delete(&id))?;
    writeln!(out, "{} keys left", store.load()?.iter().count())?;
    Ok(())
}
