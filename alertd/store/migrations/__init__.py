"""The schema's migrations, numbered; `alertd.store.schema` runs them."""
