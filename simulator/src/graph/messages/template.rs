//! Templates of the Send API: generic, button, product.
//! What belongs here: their form and limits, and their form in echoes.

use serde_json::{Map, Value, json};

use crate::graph::error::GraphError;
use crate::graph::{Host, fields};
use crate::webhook::attachment::Attachment;

const MAX_ELEMENTS: usize = 10;
const MAX_ELEMENT_BUTTONS: usize = 3;
const MAX_TITLE_CHARS: usize = 80;
const MAX_BUTTON_TEMPLATE_TEXT: usize = 640;
const MAX_BUTTON_TITLE_CHARS: usize = 20;
const MAX_BUTTON_PAYLOAD_CHARS: usize = 1000;

pub(crate) fn read(host: Host, payload: &Map<String, Value>) -> Result<Attachment, GraphError> {
    let param = "message[attachment][payload]";
    match fields::word(payload, "template_type", param)?.as_str() {
        "generic" => generic(payload),
        "button" => button_template(payload),
        // Product templates exist for the Facebook login only.
        "product" if host == Host::Facebook => product(payload),
        other => Err(GraphError::parameter(format!("Param {param}[template_type] is not {other}"))),
    }
}

fn elements(payload: &Map<String, Value>) -> Result<&[Value], GraphError> {
    let list = payload
        .get("elements")
        .ok_or_else(|| GraphError::parameter("Param message[attachment][payload][elements] is required"))?;
    let list = fields::array(list, "elements")?;
    if list.is_empty() || list.len() > MAX_ELEMENTS {
        return Err(GraphError::message_data(format!(
            "elements has {} entries, 1 to {MAX_ELEMENTS} are allowed",
            list.len()
        )));
    }
    Ok(list)
}

fn generic(payload: &Map<String, Value>) -> Result<Attachment, GraphError> {
    fields::only(payload, &["template_type", "elements", "image_aspect_ratio"], "payload")?;
    let list = elements(payload)?;
    for value in list {
        let element = fields::object(value, "elements")?;
        fields::only(element, &["title", "subtitle", "image_url", "default_action", "buttons"], "elements")?;
        fields::at_most(fields::text(element, "title", "elements")?, MAX_TITLE_CHARS, "an element's title")?;
        if let Some(subtitle) = fields::optional_text(element, "subtitle", "elements")? {
            fields::at_most(subtitle, MAX_TITLE_CHARS, "an element's subtitle")?;
        }
        if element.len() < 2 {
            return Err(GraphError::message_data("an element needs one more property besides its title"));
        }
        if let Some(url) = fields::optional_text(element, "image_url", "elements")? {
            web_url(url)?;
        }
        if let Some(action) = element.get("default_action") {
            let action = fields::object(action, "default_action")?;
            web_url(fields::text(action, "url", "default_action")?)?;
        }
        if let Some(list) = element.get("buttons") {
            buttons(list)?;
        }
    }
    Ok(Attachment::generic(json!(list)))
}

fn button_template(payload: &Map<String, Value>) -> Result<Attachment, GraphError> {
    fields::only(payload, &["template_type", "text", "buttons"], "payload")?;
    let text = fields::text(payload, "text", "payload")?;
    fields::at_most(text, MAX_BUTTON_TEMPLATE_TEXT, "the text of a button template")?;
    let list = payload.get("buttons").ok_or_else(|| GraphError::parameter("Param payload[buttons] is required"))?;
    buttons(list)?;
    // Echoes only have the generic form: the text becomes the title of one element.
    Ok(Attachment::generic(json!([{"title": text, "buttons": list}])))
}

fn product(payload: &Map<String, Value>) -> Result<Attachment, GraphError> {
    fields::only(payload, &["template_type", "elements"], "payload")?;
    let list = elements(payload)?;
    for value in list {
        let element = fields::object(value, "elements")?;
        fields::only(element, &["id"], "elements")?;
        if element.get("id").and_then(fields::id).is_none() {
            return Err(GraphError::parameter("Param elements[id] is required"));
        }
    }
    Ok(Attachment::other("template", Some(json!({"product": {"elements": list}}))))
}

fn buttons(value: &Value) -> Result<(), GraphError> {
    let list = fields::array(value, "buttons")?;
    if list.is_empty() || list.len() > MAX_ELEMENT_BUTTONS {
        return Err(GraphError::message_data(format!(
            "buttons has {} entries, 1 to {MAX_ELEMENT_BUTTONS} are allowed",
            list.len()
        )));
    }
    for value in list {
        let button = fields::object(value, "buttons")?;
        fields::at_most(fields::text(button, "title", "buttons")?, MAX_BUTTON_TITLE_CHARS, "a button's title")?;
        match fields::word(button, "type", "buttons")?.as_str() {
            "web_url" => {
                fields::only(button, &["type", "title", "url", "webview_height_ratio"], "buttons")?;
                web_url(fields::text(button, "url", "buttons")?)?;
            }
            "postback" => {
                fields::only(button, &["type", "title", "payload"], "buttons")?;
                let payload = fields::text(button, "payload", "buttons")?;
                fields::at_most(payload, MAX_BUTTON_PAYLOAD_CHARS, "a button's payload")?;
            }
            other => return Err(GraphError::message_data(format!("buttons of type {other} do not exist here"))),
        }
    }
    Ok(())
}

fn web_url(url: &str) -> Result<(), GraphError> {
    match url::Url::parse(url) {
        Ok(parsed) if matches!(parsed.scheme(), "http" | "https") => Ok(()),
        _ => Err(GraphError::message_data(format!("{url} is not a web address"))),
    }
}
