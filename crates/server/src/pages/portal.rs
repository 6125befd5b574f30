//! What pages say about the operator: the issuer, the logo, where people get help.

use std::path::Path;

use axum::body::Bytes;

use crate::net::public_url::host;
use crate::{Config, Error, files};

/// The longest logo, in octets: pages load it before they are complete.
const MAX_LOGO_LEN: u64 = 64 * 1024;

/// The operator as people see it.
#[derive(Clone, Debug)]
pub(crate) struct Portal {
    /// `server.issuer`, or the host of the first public URL.
    pub(crate) issuer: String,
    /// `portal.help`; may be empty.
    pub(crate) help: String,
    /// The content of `portal.logo_file`.
    pub(crate) logo: Option<Logo>,
    /// Every URL_S, the first for new keys.
    pub(crate) url_s: Vec<String>,
    /// `portal.owners_renew`
    pub(crate) owners_renew: bool,
}

/// A picture, with its media type.
#[derive(Clone, Debug)]
pub(crate) struct Logo {
    pub(crate) media_type: &'static str,
    pub(crate) octets: Bytes,
}

impl Portal {
    /// Reads the logo.
    ///
    /// # Errors
    /// [`Error::File`], and [`Error::Content`] for another kind of file or one that is too long.
    pub(crate) fn load(config: &Config, url_s: &[String]) -> Result<Self, Error> {
        let (issuer, file) = (&config.server.issuer, &config.portal.logo_file);
        let of_url = || url_s.first().map(|url| host(url).to_owned()).unwrap_or_default();
        Ok(Portal {
            issuer: if issuer.is_empty() { of_url() } else { issuer.clone() },
            help: config.portal.help.clone(),
            logo: if file.as_os_str().is_empty() { None } else { Some(Logo::read(file)?) },
            url_s: url_s.to_vec(),
            owners_renew: config.portal.owners_renew,
        })
    }

    /// The link that `help` stands for: `mailto:`, `tel:` or itself; `None` for a sentence.
    pub(crate) fn help_link(&self) -> Option<String> {
        let help = &self.help;
        let is_number = |letter: char| letter.is_ascii_digit() || " ()/-.".contains(letter);
        if help.starts_with("https://") && !help.contains(' ') {
            return Some(help.clone());
        }
        if let Some(number) = help.strip_prefix('+')
            && number.chars().all(is_number)
        {
            return Some(format!("tel:+{}", number.chars().filter(char::is_ascii_digit).collect::<String>()));
        }
        let (name, domain) = help.split_once('@')?;
        let is_address =
            |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || ".-_+".contains(c));
        (is_address(name) && is_address(domain)).then(|| format!("mailto:{help}"))
    }
}

impl Logo {
    fn read(path: &Path) -> Result<Self, Error> {
        let refused = |why: &str| Error::Content { path: path.to_owned(), what: "a logo", why: why.to_owned() };
        let len = std::fs::metadata(path).map_err(files::failed("read", path))?.len();
        if len > MAX_LOGO_LEN {
            return Err(refused("it has more than 64 KiB; use a smaller picture"));
        }
        let octets = std::fs::read(path).map_err(files::failed("read", path))?;
        let is_svg = || std::str::from_utf8(&octets).is_ok_and(|text| text.contains("<svg"));
        let media_type = match octets.starts_with(b"\x89PNG\r\n\x1a\n") {
            true => "image/png",
            false if is_svg() => "image/svg+xml",
            false => return Err(refused("it is neither PNG nor SVG; set portal.logo_file to such a file")),
        };
        Ok(Logo { media_type, octets: octets.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_becomes_a_link_where_it_is_one() {
        for (help, link) in [
            ("help@example.com", Some("mailto:help@example.com")),
            ("https://example.com/help", Some("https://example.com/help")),
            ("+49 (30) 12-34", Some("tel:+49301234")),
            ("Ask at the front desk", None),
            ("javascript:alert(1)@x", None),
            ("http://example.com", None),
            ("+49 ask for Bob", None),
            ("a@b?cc=c@d", None),
            ("", None),
        ] {
            let portal =
                Portal { issuer: String::new(), help: help.into(), logo: None, url_s: Vec::new(), owners_renew: false };
            assert_eq!(portal.help_link().as_deref(), link, "{help}");
        }
    }

    #[test]
    fn a_logo_is_png_or_svg_and_small() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logo");
        let read = |octets: &[u8]| {
            std::fs::write(&path, octets).unwrap();
            Logo::read(&path).map(|logo| logo.media_type).map_err(|why| why.to_string())
        };
        assert_eq!(read(b"\x89PNG\r\n\x1a\n..."), Ok("image/png"));
        assert_eq!(read(b"<?xml version='1.0'?><svg/>"), Ok("image/svg+xml"));
        for wrong in [&b"GIF89a"[..], b"", b"<html>", b"\xff\xd8\xff", &[b'<'; 65_537]] {
            assert!(read(wrong).unwrap_err().contains("logo"));
        }
        assert!(Logo::read(&folder.path().join("none")).is_err());
    }
}
