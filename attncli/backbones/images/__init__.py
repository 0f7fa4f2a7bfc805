"""Networks for images, each giving its features by role, whatever library it comes from."""
