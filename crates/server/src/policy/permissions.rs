//! Who may do what in the admin API: the permission that each call needs, and the permissions of each role. The router is
//! built from [`Call::ALL`], so no call goes without an entry; `docs/admin-api.md` has both tables.

use axum::http::Method;
use dskpp_api::{Role, paths};

macro_rules! permissions {
    ($($permission:ident = $name:literal,)*) => {
        /// What a role allows.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Permission { $($permission,)* }

        impl Permission {
            /// Every permission.
            #[cfg(test)]
            pub(crate) const ALL: &[Permission] = &[$(Permission::$permission,)*];

            /// Its name in answers and documents.
            pub(crate) fn as_str(self) -> &'static str {
                match self { $(Permission::$permission => $name,)* }
            }
        }
    };
}

permissions! {
    UsersRead = "users.read",
    UsersWrite = "users.write",
    DevicesRead = "devices.read",
    DevicesWrite = "devices.write",
    EnrolmentsRead = "enrolments.read",
    EnrolmentsWrite = "enrolments.write",
    KeysRead = "keys.read",
    KeysAssign = "keys.assign",
    KeysChange = "keys.change",
    KeysRevoke = "keys.revoke",
    KeysResync = "keys.resync",
    KeysImport = "keys.import",
    KeysExport = "keys.export",
    ImportsRead = "imports.read",
    PasswordsValidate = "passwords.validate",
    SinksRead = "sinks.read",
    SinksTest = "sinks.test",
    DeliveriesRead = "deliveries.read",
    DeliveriesRetry = "deliveries.retry",
    KServersRead = "k-servers.read",
    KServersWrite = "k-servers.write",
    TokensRead = "tokens.read",
    TokensWrite = "tokens.write",
    AuditRead = "audit.read",
}

macro_rules! calls {
    ($($call:ident: $method:ident $path:ident needs $permission:ident,)*) => {
        /// A call of the API.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Call { $($call,)* }

        impl Call {
            /// Every call.
            pub(crate) const ALL: &[Call] = &[$(Call::$call,)*];

            /// Its method.
            pub(crate) fn method(self) -> Method {
                match self { $(Call::$call => Method::$method,)* }
            }

            /// Its path below [`paths::ROOT`].
            pub(crate) fn path(self) -> &'static str {
                match self { $(Call::$call => paths::$path,)* }
            }

            /// The permission that it needs.
            pub(crate) fn needs(self) -> Permission {
                match self { $(Call::$call => Permission::$permission,)* }
            }
        }
    };
}

calls! {
    ListUsers: GET USERS needs UsersRead,
    CreateUser: POST USERS needs UsersWrite,
    ShowUser: GET USER needs UsersRead,
    DeleteUser: DELETE USER needs UsersWrite,
    LoseUser: POST USERS_LOST needs KeysRevoke,
    ListExpiring: GET EXPIRING needs KeysRead,
    ListDevices: GET DEVICES needs DevicesRead,
    CreateDevice: POST DEVICES needs DevicesWrite,
    ImportDevices: POST DEVICES_IMPORT needs DevicesWrite,
    ShowDevice: GET DEVICE needs DevicesRead,
    ChangeDevice: PATCH DEVICE needs DevicesWrite,
    RemoveDevice: DELETE DEVICE needs DevicesWrite,
    ListEnrolments: GET ENROLMENTS needs EnrolmentsRead,
    CreateEnrolment: POST ENROLMENTS needs EnrolmentsWrite,
    CreateEnrolments: POST ENROLMENTS_BULK needs EnrolmentsWrite,
    ShowEnrolment: GET ENROLMENT needs EnrolmentsRead,
    RevokeEnrolment: DELETE ENROLMENT needs EnrolmentsWrite,
    ListKeys: GET KEYS needs KeysRead,
    ImportKeys: POST KEYS_IMPORT needs KeysImport,
    ExportKeys: POST KEYS_EXPORT needs KeysExport,
    ShowKey: GET KEY needs KeysRead,
    ChangeKey: PATCH KEY needs KeysChange,
    RevokeKey: DELETE KEY needs KeysRevoke,
    RevokeKeys: POST KEYS_REVOKE needs KeysRevoke,
    DisableKey: POST KEY_DISABLE needs KeysChange,
    EnableKey: POST KEY_ENABLE needs KeysChange,
    ResynchroniseKey: POST KEY_RESYNC needs KeysResync,
    ExportKey: GET KEY_SECRET needs KeysExport,
    AssignKey: POST KEY_USER needs KeysAssign,
    ListImports: GET IMPORTS needs ImportsRead,
    ShowImport: GET IMPORT needs KeysImport,
    Validate: POST VALIDATE needs PasswordsValidate,
    ListKServers: GET K_SERVERS needs KServersRead,
    AddKServer: POST K_SERVERS needs KServersWrite,
    RetireKServer: DELETE K_SERVER needs KServersWrite,
    ListTokens: GET TOKENS needs TokensRead,
    CreateToken: POST TOKENS needs TokensWrite,
    DeleteToken: DELETE TOKEN needs TokensWrite,
    ListAudit: GET AUDIT needs AuditRead,
    MakeCheckpoint: GET AUDIT_CHECKPOINT needs AuditRead,
    ListSinks: GET SINKS needs SinksRead,
    TestSink: POST SINK_TEST needs SinksTest,
    ListDeliveries: GET DELIVERIES needs DeliveriesRead,
    RetryDelivery: POST DELIVERY_RETRY needs DeliveriesRetry,
}

/// The roles of the first token: together they have every permission. Software of before the other roles knows them.
pub(crate) const FIRST_ROLES: [Role; 5] = [Role::Admin, Role::Enrol, Role::Read, Role::Validate, Role::Export];

/// The permissions of a role.
pub(crate) fn permissions_of(role: Role) -> &'static [Permission] {
    use Permission::*;
    match role {
        Role::Admin => &[ImportsRead, SinksTest, KServersRead, KServersWrite, TokensRead, TokensWrite],
        Role::Enrol => &[UsersWrite, DevicesWrite, EnrolmentsWrite, KeysAssign, KeysChange, KeysRevoke, KeysImport],
        Role::Read => &[UsersRead, DevicesRead, EnrolmentsRead, KeysRead, SinksRead, DeliveriesRead, AuditRead],
        Role::Validate => &[PasswordsValidate, KeysResync],
        Role::Export => &[KeysExport, DeliveriesRetry],
        Role::Operator => &[
            UsersRead,
            UsersWrite,
            DevicesRead,
            DevicesWrite,
            EnrolmentsRead,
            EnrolmentsWrite,
            KeysRead,
            KeysAssign,
            KeysChange,
            KeysRevoke,
            KeysResync,
            KeysImport,
            ImportsRead,
            SinksRead,
            SinksTest,
            DeliveriesRead,
        ],
        Role::Helpdesk => &[
            UsersRead,
            EnrolmentsRead,
            EnrolmentsWrite,
            KeysRead,
            KeysAssign,
            KeysChange,
            KeysRevoke,
            KeysResync,
            PasswordsValidate,
        ],
        Role::Auditor => &[
            UsersRead,
            DevicesRead,
            EnrolmentsRead,
            KeysRead,
            ImportsRead,
            SinksRead,
            DeliveriesRead,
            KServersRead,
            TokensRead,
            AuditRead,
        ],
        Role::Validator => &[PasswordsValidate],
    }
}

/// Whether one of the roles allows it.
pub(crate) fn allow(roles: &[Role], permission: Permission) -> bool {
    roles.iter().any(|role| permissions_of(*role).contains(&permission))
}

/// The roles that have a permission.
pub(crate) fn roles_with(permission: Permission) -> Vec<&'static str> {
    Role::ALL.into_iter().filter(|role| permissions_of(*role).contains(&permission)).map(Role::as_str).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_permission_is_needed_by_a_call_and_given_by_a_role_of_the_first_token() {
        for permission in Permission::ALL {
            assert!(Call::ALL.iter().any(|call| call.needs() == *permission), "{permission:?}");
            assert!(allow(&FIRST_ROLES, *permission), "{permission:?}");
        }
    }

    #[test]
    fn no_two_calls_are_the_same() {
        for (i, call) in Call::ALL.iter().enumerate() {
            let same = Call::ALL[..i].iter().find(|it| (it.method(), it.path()) == (call.method(), call.path()));
            assert_eq!(same, None, "{call:?}");
        }
    }

    /// The tables as the manual has them.
    fn tables() -> String {
        let mut text = "| call | permission | roles |\n|---|---|---|\n".to_owned();
        for call in Call::ALL {
            let (method, path, needs) = (call.method(), call.path(), call.needs());
            let roles = roles_with(needs).iter().map(|role| format!("`{role}`")).collect::<Vec<_>>().join(", ");
            text += &format!("| `{method} {}{path}` | `{}` | {roles} |\n", paths::ROOT, needs.as_str());
        }
        text += "\n| role | permissions |\n|---|---|\n";
        for role in Role::ALL {
            let names = permissions_of(role).iter().map(|it| format!("`{}`", it.as_str())).collect::<Vec<_>>();
            text += &format!("| `{role}` | {} |\n", names.join(", "));
        }
        text
    }

    /// `BLESS=1` rewrites the tables.
    #[test]
    fn the_manual_has_the_tables_of_calls_and_roles() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/admin-api.md");
        let manual = std::fs::read_to_string(path).unwrap();
        let (begin, end) = ("<!-- permissions -->\n", "<!-- end of permissions -->\n");
        let (before, rest) = manual.split_once(begin).expect("where the tables begin");
        let (written, after) = rest.split_once(end).expect("where they end");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(path, format!("{before}{begin}{}{end}{after}", tables())).unwrap();
        } else {
            assert!(written == tables(), "docs/admin-api.md is not what this file says: run with BLESS=1");
        }
    }
}
