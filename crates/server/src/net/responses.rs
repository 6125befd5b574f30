//! Counts responses by surface and status.

use std::time::Instant;

use axum::http::StatusCode;

use crate::metrics::{Collectors, Counters, Histogram, collectors, durations, observe};

/// The parts of the server that answer, by the beginning of a path.
const SURFACES: [(&str, &str); 9] = [
    ("/dskpp", "dskpp"),
    ("/enroll/", "trigger"),
    ("/activate", "activate"),
    ("/renew", "renew"),
    ("/api/", "api"),
    ("/validate/", "validate-check"),
    ("/token", "token"),
    ("/healthz", "health"),
    ("/readyz", "health"),
];
/// The surface of every other path.
const OTHER: &str = "other";

/// What is counted of responses.
pub(crate) struct Responses {
    counts: Counters,
    durations: Vec<(&'static str, Histogram)>,
}

impl Default for Responses {
    fn default() -> Self {
        let mut surfaces: Vec<_> = SURFACES.iter().map(|(_, surface)| *surface).chain([OTHER]).collect();
        surfaces.dedup();
        let (name, help) = ("dskpp_http_responses_total", "Responses, by the part of the server that answered.");
        let counts = Counters::new(name, help, ["surface", "code"], []);
        let (name, help) =
            ("dskpp_http_response_duration_seconds", "From a request's headers until its response begins.");
        let of = |surface| (surface, durations(name, help, &[("surface", surface)]));
        Responses { counts, durations: surfaces.into_iter().map(of).collect() }
    }
}

impl Responses {
    /// Counts a response; its request was begun at `start`.
    pub(crate) fn count(&self, surface: &'static str, status: StatusCode, start: Instant) {
        self.counts.count([surface, code(status)]);
        if let Some((_, durations)) = self.durations.iter().find(|(name, _)| *name == surface) {
            observe(durations, start);
        }
    }

    /// What is counted.
    pub(crate) fn metrics(&self) -> Collectors {
        let durations = self.durations.iter().flat_map(|(_, durations)| collectors![durations]);
        [self.counts.collector()].into_iter().chain(durations).collect()
    }
}

/// The part of the server that answers at a path.
pub(crate) fn surface(path: &str) -> &'static str {
    SURFACES.iter().find(|(beginning, _)| path.starts_with(beginning)).map_or(OTHER, |(_, surface)| surface)
}

/// The statuses of this server's responses.
fn code(status: StatusCode) -> &'static str {
    const CODES: [(u16, &str); 20] = [
        (200, "200"),
        (201, "201"),
        (204, "204"),
        (303, "303"),
        (304, "304"),
        (308, "308"),
        (400, "400"),
        (401, "401"),
        (403, "403"),
        (404, "404"),
        (405, "405"),
        (406, "406"),
        (408, "408"),
        (409, "409"),
        (413, "413"),
        (415, "415"),
        (422, "422"),
        (429, "429"),
        (500, "500"),
        (503, "503"),
    ];
    CODES.iter().find(|(code, _)| *code == status.as_u16()).map_or(OTHER, |(_, text)| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strangers_path_makes_no_new_series() {
        for (path, expected) in [
            ("/dskpp", "dskpp"),
            ("/enroll/secret", "trigger"),
            ("/api/v1/users?name=alice", "api"),
            ("/readyz", "health"),
            ("/", "other"),
            ("/%00<script>", "other"),
        ] {
            assert_eq!(surface(path), expected);
        }
        let responses = Responses::default();
        for code in 100..1000 {
            responses.count(surface("/x"), StatusCode::from_u16(code).unwrap(), Instant::now());
        }
        let series: usize =
            responses.metrics().iter().flat_map(|metric| metric.collect()).map(|f| f.get_metric().len()).sum();
        assert!(series <= 21 + SURFACES.len(), "{series}");
    }
}
