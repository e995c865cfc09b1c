"""A Microsoft Graph tenant that a real client cannot tell from the real one, within the resource tree that alertd reads."""
