//! The platform's sentences per code and subcode, in the languages that tests need.
//! What belongs here: text only. Clients must never match on it; that is why it varies.

use crate::config::Locale;

/// A message like Meta's for an error.
pub(crate) fn message(code: u32, subcode: Option<u32>, locale: Locale) -> String {
    let text = match locale {
        Locale::English => english(code, subcode),
        Locale::Portuguese => portuguese(code, subcode),
        Locale::German => german(code, subcode),
    };
    match code {
        190 | 102 | 104 | 2500 => text.to_owned(),
        _ => format!("(#{code}) {text}"),
    }
}

fn english(code: u32, subcode: Option<u32>) -> &'static str {
    match (code, subcode) {
        (1, Some(99)) => "An unknown error occurred. This error could be due to missing permissions",
        (1, Some(1_357_046)) => "Received Invalid JSON reply",
        (1, _) => "An unknown error occurred",
        (2, Some(1_545_133)) => "Service temporarily unavailable",
        (2, _) => "An unexpected error has occurred. Please retry your request later.",
        (3, _) => "Application does not have the capability to make this API call.",
        (4, _) => "Application request limit reached",
        (9, _) => "Too many actions were performed",
        (10, Some(2_534_022)) => "This message is sent outside of allowed window.",
        (10, Some(2_018_278 | 2_018_065)) => {
            "This message is sent outside of allowed window. Learn more about the new policy in Meta's documentation."
        }
        (10, Some(2_018_108)) => {
            "This Person Cannot Receive Messages: This person isn't receiving messages from you right now."
        }
        (10, Some(2_534_077)) => "The link between the Instagram account and the Page could not be verified.",
        (10, Some(1_893_063)) => "This account is restricted from sending messages because of a policy violation.",
        (10, _) => "Application does not have permission for this action",
        (17, _) => "User request limit reached",
        (32, _) => "Page request limit reached",
        (100, Some(2_018_001 | 2_534_014)) => "No matching user found",
        (100, Some(2_018_008)) => "Failed to fetch the file from the url.",
        (100, Some(2_018_047)) => "Upload attachment failure. The media type does not match the file.",
        (100, Some(2_018_074)) => "Invalid attachment ID: it does not belong to you or does not exist.",
        (100, Some(2_018_109)) => "Attachment size exceeds allowable limit.",
        (100, Some(2_018_294)) => "The video could not be fetched in time.",
        (100, Some(2_534_013)) => "The Page is not linked to an Instagram account.",
        (100, Some(2_534_015)) => "Invalid message data",
        (100, Some(2_534_025)) => "The comment is invalid for a private reply.",
        (100, Some(2_534_029)) => "The business is blocked from Instagram messaging.",
        (100, Some(2_534_037)) => "You are not the owner of this thread.",
        (100, Some(9_000_001)) => "The message was deleted.",
        (100, _) => "Invalid parameter",
        (190, Some(458)) => "Error validating access token: The user has not authorized application.",
        (190, Some(492)) => "Error validating access token: The user does not have a role on the Page.",
        (190, Some(460)) => {
            "Error validating access token: The session has been invalidated because the user changed their \
             password or Facebook has changed the session for security reasons."
        }
        (190, _) => "Error validating access token: Session has expired.",
        (200, Some(2_018_028)) => {
            "Cannot message users who are not admins, developers or testers of the app until it is live."
        }
        (200, Some(2_534_041)) => "The Instagram account owner has disabled access to direct messages.",
        (200, Some(1_545_041)) | (551, _) => "This person isn't available right now.",
        (200, _) => "Permissions error",
        (230, _) => "User consent is required to access user profile",
        (368, _) => "The action attempted has been deemed abusive or is otherwise disallowed",
        (613, _) => "Calls to this api have exceeded the rate limit.",
        (80_001 | 80_002 | 80_006, _) => "There have been too many calls to this account. Wait a bit and try again.",
        (9010, _) => "No matching Instagram user",
        _ => "The request could not be completed.",
    }
}

fn portuguese(code: u32, subcode: Option<u32>) -> &'static str {
    match (code, subcode) {
        (10, Some(2_534_022)) => "Esta mensagem foi enviada fora do período permitido.",
        (10 | 200, _) => "O aplicativo não tem permissão para esta ação",
        (100, Some(2_534_014)) => "Nenhum usuário correspondente encontrado",
        (100, _) => "Parâmetro inválido",
        (190, _) => "Erro ao validar o token de acesso: a sessão expirou.",
        (4 | 17 | 32 | 613, _) => "O limite de solicitações foi atingido.",
        (1 | 2, _) => "Ocorreu um erro inesperado. Tente novamente mais tarde.",
        _ => "Não foi possível concluir a solicitação.",
    }
}

fn german(code: u32, subcode: Option<u32>) -> &'static str {
    match (code, subcode) {
        (10, Some(2_534_022)) => "Diese Nachricht wurde außerhalb des zulässigen Zeitraums gesendet.",
        (10 | 200, _) => "Die App hat keine Berechtigung für diese Aktion",
        (100, Some(2_534_014)) => "Kein passender Nutzer gefunden",
        (100, _) => "Ungültiger Parameter",
        (190, _) => "Fehler beim Überprüfen des Zugriffstokens: Die Sitzung ist abgelaufen.",
        (4 | 17 | 32 | 613, _) => "Das Anfragelimit wurde erreicht.",
        (1 | 2, _) => "Ein unerwarteter Fehler ist aufgetreten. Versuche es später noch einmal.",
        _ => "Die Anfrage konnte nicht abgeschlossen werden.",
    }
}

/// `error_user_title` and `error_user_msg`, which only some errors have.
pub(crate) fn user_message(subcode: Option<u32>) -> Option<(&'static str, &'static str)> {
    match subcode? {
        2_018_008 => Some((
            "Could not download the file",
            "The file could not be fetched from the address. Check that it is public.",
        )),
        2_534_041 => Some((
            "Access to messages is off",
            "The account owner has to allow access to messages in the Instagram app's settings.",
        )),
        2_534_077 => Some(("Connection not verified", "Reconnect the Instagram account to the Page.")),
        _ => None,
    }
}
