"""Small applications and scripts that the tests run under the launcher."""
