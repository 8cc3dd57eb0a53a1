"""Where facts come from: Crossref and PubMed behind one protocol."""
