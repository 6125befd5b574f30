//! Where a PostgreSQL server is, and who connects: `postgres://user@host1,host2/name?sslmode=verify-full&…`.

use std::fmt;
use std::fs;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use percent_encoding::percent_decode_str;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

use crate::platform::{DatabaseHost, database_host};

/// Where the password comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Password {
    /// `PGPASSWORD`; else `~/.pgpass`, or the file that `PGPASSFILE` names, if there is a line for the connection.
    #[default]
    Usual,
    /// A file that has nothing else in it.
    File(PathBuf),
}

/// A server's address and how it is proved. Its `Debug` and `Display` show no password.
#[derive(Clone)]
pub(crate) struct PostgresAddress {
    config: Config,
    tls: Option<ClientConfig>,
}

impl fmt::Display for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts = self.config.get_hosts().iter().map(|host| match database_host(host) {
            DatabaseHost::Name(name) => name.to_owned(),
            DatabaseHost::Socket(folder) => folder.display().to_string(),
        });
        let hosts = hosts.collect::<Vec<_>>().join(",");
        write!(f, "postgres://{hosts}/{}", self.config.get_dbname().unwrap_or_default())
    }
}

impl fmt::Debug for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PostgresAddress {
    /// Reads a URL. `sslmode` is `verify-full`, or `disable` where all hosts are this machine; `sslrootcert` names a PEM
    /// file in the place of the system's trust anchors; the rest is as in libpq.
    ///
    /// # Errors
    /// What is wrong with it, without its password.
    pub(crate) fn read(url: &str, password: &Password) -> Result<Self, String> {
        let (plain, mut mode, mut roots) = (url.split('?').next().unwrap_or_default(), None, None);
        let mut others = Vec::new();
        for option in url.split_once('?').map_or("", |(_, options)| options).split('&').filter(|o| !o.is_empty()) {
            match option.split_once('=') {
                Some(("sslmode", value)) => mode = Some(value.to_owned()),
                Some(("sslrootcert", path)) => {
                    let path =
                        percent_decode_str(path).decode_utf8().map_err(|_| "has an sslrootcert that is not UTF-8")?;
                    roots = Some(PathBuf::from(path.as_ref()));
                }
                _ => others.push(option),
            }
        }
        let url = if others.is_empty() { plain.to_owned() } else { format!("{plain}?{}", others.join("&")) };
        let mut config = Config::from_str(&url).map_err(|why| match std::error::Error::source(&why) {
            Some(reason) => format!("is no address of a PostgreSQL server ({reason})"),
            None => "is no address of a PostgreSQL server".to_owned(),
        })?;
        if config.get_hosts().is_empty() {
            return Err("names no host: write postgres://user@host/database".into());
        }
        if config.get_dbname().is_none() {
            return Err("names no database: write postgres://user@host/database".into());
        }
        if config.get_user().is_none() {
            return Err("names no user: write postgres://user@host/database".into());
        }
        if config.get_password().is_some() {
            return Err(
                "has a password, which others may read: put it into database.password_file, PGPASSWORD or ~/.pgpass"
                    .into(),
            );
        }
        if let Some(found) = password.find(&config)? {
            config.password(found);
        }
        config.application_name("dskpp");
        let tls = match mode.as_deref() {
            Some("disable") | None if is_local(&config) => None,
            Some("verify-full") | None => Some(tls(roots.as_deref())?),
            Some("disable") => return Err("sends secrets in the clear to another host: use sslmode=verify-full".into()),
            Some(other) => {
                return Err(format!("has sslmode={other}, which proves no server: use sslmode=verify-full"));
            }
        };
        config.ssl_mode(if tls.is_some() { SslMode::Require } else { SslMode::Disable });
        Ok(PostgresAddress { config, tls })
    }

    /// What `tokio-postgres` connects with.
    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// With what the server proves itself; `None` where that is not asked.
    pub(crate) fn tls(&self) -> Option<&ClientConfig> {
        self.tls.as_ref()
    }
}

/// Whether every host is this machine.
fn is_local(config: &Config) -> bool {
    let hosts = config.get_hosts().iter().all(|host| match database_host(host) {
        DatabaseHost::Socket(_) => true,
        DatabaseHost::Name(name) => {
            name == "localhost" || name.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
        }
    });
    hosts && config.get_hostaddrs().iter().all(std::net::IpAddr::is_loopback) // which are connected to, whatever the names
}

fn tls(roots: Option<&Path>) -> Result<ClientConfig, String> {
    let path = roots.ok_or(
        "needs sslrootcert=FILE, a PEM file with the trust anchors of the database's certificate \
         (on Debian all of the system's are in /etc/ssl/certs/ca-certificates.crt)",
    )?;
    let unreadable = |why: &dyn fmt::Display| format!("sslrootcert {} cannot be read: {why}", path.display());
    let file = fs::File::open(path).map_err(|why| unreadable(&why))?;
    let mut anchors = RootCertStore::empty();
    for certificate in CertificateDer::pem_reader_iter(BufReader::new(file)) {
        let certificate = certificate.map_err(|why| unreadable(&why))?;
        anchors.add(certificate).map_err(|why| unreadable(&why))?;
    }
    if anchors.is_empty() {
        return Err(unreadable(&"it has no certificate"));
    }
    Ok(ClientConfig::builder().with_root_certificates(anchors).with_no_client_auth())
}

impl Password {
    fn find(&self, config: &Config) -> Result<Option<String>, String> {
        match self {
            Password::File(path) => match fs::read_to_string(path) {
                Ok(text) => Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned())),
                Err(why) => Err(format!("has its password in {}, which cannot be read: {why}", path.display())),
            },
            Password::Usual => {
                if let Some(password) = std::env::var_os("PGPASSWORD") {
                    let password = password.into_string().map_err(|_| "has a PGPASSWORD that is not UTF-8")?;
                    return Ok(Some(password));
                }
                let named = std::env::var_os("PGPASSFILE").map(PathBuf::from);
                let path = named.or_else(|| std::env::home_dir().map(|home| home.join(".pgpass")));
                let text = path.and_then(|path| fs::read_to_string(path).ok());
                Ok(text.and_then(|text| passwords(&text, config).next()))
            }
        }
    }
}

/// The passwords in a `.pgpass` for a connection: lines of `host:port:database:user:password`, `*` for any.
fn passwords<'a>(text: &'a str, config: &'a Config) -> impl Iterator<Item = String> + 'a {
    text.lines().filter(|line| !line.starts_with('#')).filter_map(move |line| {
        let [host, port, name, user, password] = fields(line)?;
        let is = |pattern: &str, value: &str| pattern == "*" || pattern == value;
        let host_is = config.get_hosts().iter().any(|of| match database_host(of) {
            DatabaseHost::Name(of) => is(&host, of),
            DatabaseHost::Socket(of) => is(&host, "localhost") || is(&host, &of.to_string_lossy()),
        });
        let ports = config.get_ports();
        let port_is = is(&port, "5432") && ports.is_empty() || ports.iter().any(|of| is(&port, &of.to_string()));
        let fits = host_is && port_is && is(&name, config.get_dbname()?) && is(&user, config.get_user()?);
        fits.then_some(password)
    })
}

/// The five fields of a line; a backslash stands before a colon or a backslash.
fn fields(line: &str) -> Option<[String; 5]> {
    let mut fields = vec![String::new()];
    let mut characters = line.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => fields.last_mut()?.extend(characters.next()),
            ':' if fields.len() < 5 => fields.push(String::new()),
            c => fields.last_mut()?.push(c),
        }
    }
    fields.try_into().ok()
}
