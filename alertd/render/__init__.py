"""From a notification to the text of a message: templates, their context, and fitting to a channel's limit. Pure."""
