"""Where items live: embedded, Zotero, Zotero desktop, behind one protocol."""
