//! Owns: the words of the pages for plugins and the inspector in English.
//! Does not own: how they are filled in, the other languages (`words`).

words! {
    /// The words of the pages for plugins and the inspector.
    Plugins {}
    title = "Plugins";
}
