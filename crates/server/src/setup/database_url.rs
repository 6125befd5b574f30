//! From `[database]` to the database.

use crate::config::{Config, ConfigFault, DatabaseSection};
use crate::store::{Database, Password, PostgresAddress};

/// Where the store's database is.
///
/// # Errors
/// What is wrong with `database.url`.
pub(crate) fn of(config: &Config) -> Result<Database, ConfigFault> {
    let DatabaseSection { url, password_file, .. } = &config.database;
    let fault = |why: String| ConfigFault::new("database.url", without_password(url), why);
    if url.is_empty() {
        return Ok(config.server.data_dir.join("dskpp.db").into());
    }
    if let Some(path) = url.strip_prefix("sqlite:") {
        return match path.is_empty() {
            true => Err(fault("names no file: write sqlite:PATH".into())),
            false => Ok(path.into()),
        };
    }
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err(fault("begins with neither sqlite: nor postgres://".into()));
    }
    let password = match password_file.as_os_str().is_empty() {
        true => Password::default(),
        false => Password::File(password_file.clone()),
    };
    PostgresAddress::read(url, &password).map(|address| Database::Postgres(Box::new(address))).map_err(fault)
}

/// A URL as it may be shown: without options, and without what may be a password, wherever a mistake has put it.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) =
        url.split_once("://").filter(|(scheme, _)| scheme.bytes().all(|c| c.is_ascii_alphabetic()))
    else {
        return if url.contains([':', '@', '=']) { "…".into() } else { url.into() };
    };
    let user = rest.split([':', '@', '?']).next().unwrap_or_default();
    match rest.rsplit_once('@') {
        Some((before, _)) if before.contains('?') => format!("{scheme}://{user}@…"),
        Some((_, host)) => match host.split_once('?') {
            Some((host, _)) => format!("{scheme}://{user}@{host}?…"),
            None => format!("{scheme}://{user}@{host}"),
        },
        None if user == rest => url.to_owned(),
        None => format!("{scheme}://{user}…"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Result<String, String> {
        let database = DatabaseSection { url: url.into(), ..DatabaseSection::default() };
        let config = Config { database, ..Config::default() };
        of(&config).map(|database| format!("{database:?}")).map_err(|fault| fault.to_string())
    }

    #[test]
    fn each_kind_of_database_has_its_url() {
        for (url, expected) in [
            ("", "Sqlite(\"./dskpp-data/dskpp.db\")"),
            ("sqlite:/var/lib/other.db", "Sqlite(\"/var/lib/other.db\")"),
            ("postgres://keys@localhost/dskpp", "Postgres(postgres://localhost/dskpp)"),
            (
                "postgres://keys@127.0.0.1:5433,localhost:5434/dskpp?sslmode=disable",
                "Postgres(postgres://127.0.0.1,localhost/dskpp)",
            ),
            ("postgres://keys@localhost/dskpp?hostaddr=127.0.0.1", "Postgres(postgres://localhost/dskpp)"),
            (
                "postgres:///dskpp?host=/run/postgresql&user=keys&target_session_attrs=read-write",
                "Postgres(postgres:///run/postgresql/dskpp)",
            ),
        ] {
            assert_eq!(read(url).as_deref(), Ok(expected), "{url}");
        }
    }

    #[test]
    fn what_is_no_safe_address_is_refused_with_a_remedy_and_without_its_password() {
        for (url, word) in [
            ("sqlite:", "sqlite:PATH"),
            ("mysql://keys@db/dskpp", "postgres://"),
            ("postgres://keys@localhost", "names no database"),
            ("postgres:///dskpp?user=keys", "names no host"),
            ("postgres://localhost/dskpp", "names no user"),
            ("postgres://keys@db.example/dskpp", "sslrootcert"),
            ("postgres://keys@db.example/dskpp?sslmode=disable", "in the clear"),
            ("postgres://keys@db.example/dskpp?sslmode=require", "verify-full"),
            ("postgres://keys@db.example/dskpp?sslrootcert=/no/such/file", "/no/such/file"),
            ("postgres://keys@localhost/dskpp?sslmode=sometimes", "sslmode=sometimes"),
            ("postgres://keys@localhost/dskpp?connect_timout=3", "no address"),
            ("postgres://keys:swordfish@localhost/dskpp", "database.password_file"),
            ("postgres://keys@localhost/dskpp?password=swordfish", "database.password_file"),
            ("postgres://keys@localhost/dskpp?password=sword@fish", "database.password_file"),
            ("postgres://keys@localhost/dskpp?pass%77ord=swordfish", "database.password_file"),
            ("postgres://keys@localhost/dskpp?pwd=swordfish", "pwd"),
            ("postgres://keys:sword?fish@localhost/dskpp", "database.password_file"),
            ("postgres://keys:swordfish/dskpp", "no address"),
            ("postgres:/keys:swordfish@localhost/dskpp", "postgres://"),
            ("keys:swordfish@localhost/dskpp", "postgres://"),
            ("host=localhost user=keys password=swordfish", "postgres://"),
            ("postgres://keys@localhost/dskpp?hostaddr=192.0.2.7", "sslrootcert"),
            ("postgres://keys@localhost/dskpp?hostaddr=192.0.2.7&sslmode=disable", "in the clear"),
        ] {
            let why = read(url).unwrap_err();
            assert!(why.contains(word) && !why.contains("fish"), "{url}: {why}");
        }
    }
}
