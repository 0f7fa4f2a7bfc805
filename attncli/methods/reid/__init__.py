"""Person re-identification: features of people, and distances under which cameras agree."""
