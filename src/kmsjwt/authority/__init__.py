"""What an issuer needs beyond signing: keys that come and go, and checks of what is published."""
