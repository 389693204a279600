//! Fields, edges and parameters that Meta has and the simulator does not. They get an error of the simulator's own,
//! which cannot be mistaken for Meta's refusal. What belongs here: their names. Names that Meta does not have are
//! refused as Meta does.

use crate::graph::Host;
use crate::graph::error::GraphError;
use crate::graph::request::GraphRequest;

/// The kinds of nodes, each with its own fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Node {
    Page,
    Instagram,
    Person,
    App,
    Conversation(Host),
    Message,
    /// Nested objects, and nodes whose fields are all simulated.
    Other,
}

impl Node {
    fn is_called(self) -> &'static str {
        match self {
            Self::Page => "a page",
            Self::Instagram => "an Instagram account",
            Self::Person => "a person",
            Self::App => "an app",
            Self::Conversation(_) => "a conversation",
            Self::Message => "a message",
            Self::Other => "this node",
        }
    }

    /// Documented fields that are not simulated.
    fn has(self, field: &str) -> bool {
        match self {
            Self::Page => PAGE.contains(&field),
            Self::Instagram => INSTAGRAM.contains(&field),
            Self::Person => PERSON.contains(&field),
            Self::App => APP.contains(&field),
            // Instagram conversations have no unread count on graph.instagram.com.
            Self::Conversation(Host::Instagram) if field == "unread_count" => false,
            Self::Conversation(_) => CONVERSATION.contains(&field),
            Self::Message => MESSAGE.contains(&field),
            Self::Other => false,
        }
    }

    /// The kind of a field's content.
    pub(crate) fn inside(self, field: &str) -> Self {
        match (self, field) {
            (Self::Page, "instagram_business_account" | "connected_instagram_account") => Self::Instagram,
            _ => Self::Other,
        }
    }
}

/// Why a field is missing: not simulated, or unknown to Meta.
pub(crate) fn field(node: Node, name: &str) -> GraphError {
    if node.has(name) {
        return GraphError::not_played(&format!("the field {name} of {}", node.is_called()));
    }
    GraphError::parameter(format!("Tried accessing nonexisting field ({name})"))
}

/// Why a path is missing.
pub(crate) fn path(request: &GraphRequest, edge: &str) -> GraphError {
    if EDGES.contains(&edge) {
        return GraphError::not_played(&format!("{} of the edge {edge}", request.method));
    }
    GraphError::unknown_path(edge)
}

/// Parameters that would change the answer of any request.
pub(crate) fn parameters(request: &GraphRequest) -> Result<(), GraphError> {
    let not_played = |name: &str| Err(GraphError::not_played(&format!("the parameter {name}")));
    if request.method != "GET" {
        return Ok(());
    }
    match ["date_format", "callback", "since", "until", "offset"].into_iter().find(|name| request.text(name).is_some())
    {
        Some(name) => not_played(name),
        None if request.is_set("metadata") => not_played("metadata"),
        None => Ok(()),
    }
}

const PAGE: &[&str] = &[
    "about",
    "ad_campaign",
    "affiliation",
    "app_id",
    "artists_we_like",
    "attire",
    "band_interests",
    "band_members",
    "best_page",
    "bio",
    "birthday",
    "booking_agent",
    "built",
    "business",
    "can_checkin",
    "can_post",
    "category_list",
    "checkins",
    "company_overview",
    "connected_page_backed_instagram_account",
    "contact_address",
    "conversations",
    "country_page_likes",
    "cover",
    "current_location",
    "delivery_and_pickup_option_info",
    "description",
    "description_html",
    "differently_open_offerings",
    "directed_by",
    "display_subtext",
    "displayed_message_response_time",
    "emails",
    "engagement",
    "fan_count",
    "feed",
    "followers_count",
    "food_styles",
    "founded",
    "general_info",
    "general_manager",
    "genre",
    "global_brand_page_name",
    "global_brand_root_id",
    "has_added_app",
    "has_whatsapp_business_number",
    "has_whatsapp_number",
    "hometown",
    "hours",
    "impressum",
    "influences",
    "insights",
    "instagram_accounts",
    "instant_articles_review_status",
    "is_always_open",
    "is_chain",
    "is_community_page",
    "is_eligible_for_branded_content",
    "is_messenger_bot_get_started_enabled",
    "is_messenger_platform_bot",
    "is_owned",
    "is_permanently_closed",
    "is_published",
    "is_unclaimed",
    "is_webhooks_subscribed",
    "leadgen_tos_accepted",
    "link",
    "location",
    "members",
    "merchant_id",
    "messaging_feature_status",
    "messenger_profile",
    "mission",
    "name_with_location_descriptor",
    "network",
    "new_like_count",
    "offer_eligible",
    "overall_star_rating",
    "owner_business",
    "page_backed_instagram_accounts",
    "page_token",
    "parent_page",
    "parking",
    "payment_options",
    "personal_info",
    "personal_interests",
    "phone",
    "photos",
    "pickup_options",
    "place_type",
    "plot_outline",
    "posts",
    "preferred_audience",
    "price_range",
    "privacy_info_url",
    "produced_by",
    "products",
    "promotion_eligible",
    "public_transit",
    "published_posts",
    "rating_count",
    "ratings",
    "recipient",
    "roles",
    "single_line_address",
    "start_info",
    "starring",
    "store_location_descriptor",
    "store_number",
    "studio",
    "subscribed_apps",
    "supports_donate_button_in_live_video",
    "talking_about_count",
    "temporary_status",
    "unread_message_count",
    "unread_notif_count",
    "unseen_message_count",
    "user_access_expire_time",
    "verification_status",
    "videos",
    "voip_info",
    "website",
    "were_here_count",
    "whatsapp_number",
    "written_by",
];

const INSTAGRAM: &[&str] = &[
    "biography",
    "business_discovery",
    "follows_count",
    "has_profile_pic",
    "ig_id",
    "insights",
    "is_published",
    "legacy_instagram_user_id",
    "live_media",
    "media",
    "mentioned_comment",
    "mentioned_media",
    "owner_business",
    "shopping_product_tag_eligibility",
    "shopping_review_status",
    "stories",
    "tags",
    "website",
];

const PERSON: &[&str] = &[
    "about",
    "age_range",
    "birthday",
    "businesses",
    "client_business_id",
    "education",
    "email",
    "favorite_athletes",
    "favorite_teams",
    "first_name",
    "gender",
    "hometown",
    "id_for_avatars",
    "ids_for_apps",
    "ids_for_business",
    "ids_for_pages",
    "inspirational_people",
    "install_type",
    "installed",
    "is_guest_user",
    "languages",
    "last_name",
    "link",
    "locale",
    "location",
    "meeting_for",
    "middle_name",
    "name_format",
    "payment_pricepoints",
    "permissions",
    "picture",
    "profile_pic",
    "quotes",
    "short_name",
    "significant_other",
    "sports",
    "supports_donate_button_in_live_video",
    "third_party_id",
    "timezone",
    "token_for_business",
    "updated_time",
    "verified",
    "video_upload_limits",
];

const APP: &[&str] = &[
    "app_domains",
    "app_type",
    "category",
    "company",
    "contact_email",
    "daily_active_users",
    "icon_url",
    "logo_url",
    "monthly_active_users",
    "namespace",
    "privacy_policy_url",
    "subcategory",
    "terms_of_service_url",
    "website_url",
];

const CONVERSATION: &[&str] = &[
    "can_reply",
    "former_participants",
    "is_subscribed",
    "link",
    "linked_group",
    "message_count",
    "name",
    "scoped_thread_key",
    "senders",
    "snippet",
    "subject",
    "unread_count",
    "wallpaper",
];

const MESSAGE: &[&str] = &["sticker", "subject", "tags", "thread", "threads", "generic_template"];

const EDGES: &[&str] = &[
    "albums",
    "agencies",
    "assigned_pages",
    "assigned_users",
    "available_catalogs",
    "blocked",
    "business_discovery",
    "business_users",
    "businesses",
    "catalog_product_search",
    "children",
    "client_pages",
    "comments",
    "collaboration_invites",
    "collaborators",
    "content_publishing_limit",
    "custom_labels",
    "custom_user_settings",
    "dataset",
    "events",
    "feed",
    "ids_for_apps",
    "ids_for_business",
    "insights",
    "instagram_accounts",
    "likes",
    "live_media",
    "media",
    "media_publish",
    "mentioned_comment",
    "mentioned_media",
    "mentions",
    "message_templates",
    "messaging_feature_review",
    "messenger_call_settings",
    "moderate_conversations",
    "nlp_configs",
    "notification_message_tokens",
    "notification_messages_dev_support",
    "notification_messages_tokens",
    "owned_pages",
    "page_backed_instagram_accounts",
    "personas",
    "photos",
    "picture",
    "posts",
    "product_appeal",
    "published_posts",
    "reactions",
    "recently_searched_hashtags",
    "replies",
    "roles",
    "secondary_receivers",
    "settings",
    "stories",
    "tabs",
    "tagged",
    "tags",
    "threads",
    "videos",
    "welcome_message_flows",
];
