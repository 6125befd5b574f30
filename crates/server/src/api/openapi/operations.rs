//! What each call takes and gives.

use axum::http::StatusCode;
use dskpp_api::*;

use super::operation::Operation;
use crate::policy::permissions::Call;

const CREATED: StatusCode = StatusCode::CREATED;
const OK: StatusCode = StatusCode::OK;

/// The operation of a call.
pub(super) fn operation(it: Call) -> Operation {
    use ProblemType::{
        Exists, ImportDone, InvalidBody, NotFound, NotNdjson, NotPskc, TooLarge, TooManyWrong, WrongState,
    };
    let call = |id, summary| Operation::of(it, id, summary);
    match it {
        Call::ListUsers => call("listUsers", "Users, in the order of their names.")
            .query::<UserQuery>()
            .gives::<ListPage<Listed<ListedUser>>>(OK, "A page."),
        Call::CreateUser => call("createUser", "Creates a user.")
            .takes::<NewUser>()
            .may_fail(&[Exists])
            .gives::<User>(CREATED, "The user."),
        Call::ShowUser => call("getUser", "A user.").gives::<ListedUser>(OK, "The user.").shows(),
        Call::DeleteUser => call("deleteUser", "Deletes a user who has no keys and no open enrolments.")
            .may_fail(&[WrongState])
            .changes(),
        Call::LoseUser => call("loseUser", "Revokes a user's keys and open codes, and creates an enrolment.")
            .takes::<LostRequest>()
            .may_fail(&[WrongState, NotFound])
            .gives::<UserLost>(CREATED, "What was done. Only this answer has the new code."),
        Call::ListExpiring => call("listExpiring", "Certificates, and keys in use, that end soon.")
            .query::<ExpiringQuery>()
            .gives::<Expiring>(OK, "A page."),
        Call::ListDevices => call("listDevices", "Registered devices.")
            .query::<DeviceQuery>()
            .gives::<ListPage<ListedDevice>>(OK, "A page."),
        Call::CreateDevice => call("createDevice", "Registers a device.")
            .takes::<NewDeviceRequest>()
            .may_fail(&[Exists])
            .gives::<CreatedDevice>(CREATED, "The device."),
        Call::ImportDevices => call("importDevices", "Registers up to 1000 devices in one transaction.")
            .takes::<DeviceBatch>()
            .gives::<DeviceBatchReport>(OK, "What became of each."),
        Call::ShowDevice => call("getDevice", "A device.").gives::<DeviceDetails>(OK, "The device.").shows(),
        Call::ChangeDevice => call("changeDevice", "Changes a device.")
            .takes::<DeviceChangeRequest>()
            .may_fail(&[Exists, WrongState])
            .gives::<DeviceDetails>(OK, "The device, changed.")
            .shows()
            .changes(),
        Call::RemoveDevice => {
            call("deleteDevice", "Removes a device to which nothing is bound.").may_fail(&[WrongState]).changes()
        }
        Call::ListEnrolments => call("listEnrolments", "Enrolments, without their codes.")
            .query::<EnrolmentQuery>()
            .gives::<ListPage<Listed<Enrolment>>>(OK, "A page."),
        Call::CreateEnrolment => call("createEnrolment", "Creates an enrolment and its user, if there is none.")
            .takes::<NewEnrolmentRequest>()
            .may_fail(&[WrongState, NotFound])
            .gives::<CreatedEnrolment>(CREATED, "The enrolment. Only this answer has its code."),
        Call::CreateEnrolments => call("createEnrolments", "Creates an enrolment for each line of the body, in order.")
            .takes_text(MEDIA_TYPE_NDJSON, &[NotNdjson])
            .gives_text(MEDIA_TYPE_NDJSON, "A BulkEnrolment for each line, in order."),
        Call::ShowEnrolment => call("getEnrolment", "An enrolment, with its refused runs.")
            .gives::<EnrolmentDetails>(OK, "The enrolment.")
            .shows(),
        Call::RevokeEnrolment => {
            call("revokeEnrolment", "Revokes an enrolment whose key is not in use.").may_fail(&[WrongState]).changes()
        }
        Call::ListKeys => call("listKeys", "Keys, without their secrets.")
            .query::<KeyQuery>()
            .gives::<ListPage<ListedKey>>(OK, "A page."),
        Call::ShowKey => call("getKey", "A key, with its sinks.").gives::<KeyDetails>(OK, "The key.").shows(),
        Call::ChangeKey => call("changeKey", "Changes the label or the owner of a key.")
            .takes::<KeyChangeRequest>()
            .may_fail(&[WrongState])
            .gives::<KeyDetails>(OK, "The key, changed.")
            .shows()
            .changes(),
        Call::RevokeKeys => call("revokeKeys", "Revokes the keys of a user or device, or those that a filter finds.")
            .takes::<KeyRevocation>()
            .gives::<RevokedKeys>(OK, "How many."),
        Call::DisableKey => call("disableKey", "Takes a key out of use until it is enabled again.")
            .may_fail(&[WrongState])
            .gives::<KeySummary>(OK, "The key.")
            .changes(),
        Call::EnableKey => call("enableKey", "Puts a disabled key in use again.")
            .may_fail(&[WrongState])
            .gives::<KeySummary>(OK, "The key.")
            .changes(),
        Call::RevokeKey => call("revokeKey", "Takes a key out of use for good.").changes(),
        Call::AssignKey => call("assignKey", "Gives an imported key to a user, who is created if there is none.")
            .takes::<KeyOwner>()
            .may_fail(&[WrongState])
            .gives::<KeySummary>(OK, "The key."),
        Call::ExportKey => call("getKeySecret", "The secret of a key; audited.").gives::<KeySecret>(OK, "The secret."),
        Call::ResynchroniseKey => {
            call("resynchroniseKey", "Finds a token's counter or clock by consecutive passwords.")
                .takes::<Resync>()
                .may_fail(&[WrongState, TooManyWrong])
                .gives::<Resynced>(OK, "Whether they were found.")
        }
        Call::Validate => call("validate", "Checks a one-time password.")
            .takes::<ValidationRequest>()
            .may_fail(&[WrongState, TooManyWrong])
            .gives::<ValidationResult>(OK, "Whether it is right."),
        Call::ImportKeys => call("importKeys", "Imports a part of a key file (RFC 6030).")
            .query::<ImportQuery>()
            .takes_text(MEDIA_TYPE_PSKC, &[ImportDone, InvalidBody, NotPskc, TooLarge])
            .gives::<ImportReport>(OK, "What became of each key."),
        Call::ExportKeys => call("exportKeys", "Exports keys with their secrets (RFC 6030); audited.")
            .takes::<ExportRequest>()
            .may_fail(&[NotFound])
            .gives_text(MEDIA_TYPE_PSKC, "A PSKC document."),
        Call::ListImports => {
            call("listImports", "Imports.").query::<PageQuery>().gives::<ListPage<Listed<ImportSummary>>>(OK, "A page.")
        }
        Call::ShowImport => call("getImport", "How far an import is.").gives::<ImportProgress>(OK, "The import."),
        Call::ListTokens => call("listTokens", "Tokens of this API, without their values.")
            .query::<PageQuery>()
            .gives::<ListPage<Listed<TokenSummary>>>(OK, "A page."),
        Call::CreateToken => call("createToken", "Creates a token.")
            .takes::<NewToken>()
            .gives::<CreatedToken>(CREATED, "The token. Only this answer has its value."),
        Call::DeleteToken => call("deleteToken", "Deletes a token."),
        Call::ListKServers => call("listKServers", "Key pairs under which clients encrypt, the newest first.")
            .gives::<ListPage<KServer>>(OK, "All of them."),
        Call::AddKServer => call("addKServer", "Makes a key pair, which new runs take.")
            .takes::<NewKServer>()
            .may_fail(&[WrongState])
            .gives::<KServer>(CREATED, "The key pair."),
        Call::RetireKServer => call("retireKServer", "Retires a key pair.").may_fail(&[WrongState]),
        Call::ListAudit => {
            call("listAudit", "Entries of the audit trail.")
                .query::<AuditQuery>()
                .gives::<ListPage<ListedAuditEntry>>(OK, "A page.")
        }
        Call::MakeCheckpoint => call("getAuditCheckpoint", "A signed checkpoint of the audit trail, of now.")
            .may_fail(&[NotFound])
            .gives::<AuditCheckpoint>(OK, "The checkpoint."),
        Call::ListSinks => call("listSinks", "Other systems that get keys.").gives::<SinkList>(OK, "All of them."),
        Call::TestSink => call("testSink", "Tries whether a sink can be reached, without a key.")
            .gives::<SinkTest>(OK, "What was found."),
        Call::ListDeliveries => call("listDeliveries", "Keys on their way to sinks.")
            .query::<DeliveryQuery>()
            .gives::<ListPage<Listed<Delivery>>>(OK, "A page."),
        Call::RetryDelivery => {
            call("retryDelivery", "Sends a key again.").may_fail(&[WrongState]).gives::<Delivery>(OK, "The delivery.")
        }
    }
}
