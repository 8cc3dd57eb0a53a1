"""zotdrop: reference exports become a clean Zotero library, every record accounted for."""

__version__ = "0.1.0"
