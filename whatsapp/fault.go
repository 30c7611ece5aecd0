package whatsapp

// Points at which a test has the process die (fault_on.go, built with the tag faults): what is lost at each of them must be nothing.
const (
	faultDecrypted = "decrypted" // the message is decrypted, nothing of it is stored
	faultLogged    = "logged"    // it is logged and decided, WhatsApp does not know yet
	faultClaimed   = "claimed"   // a message is about to leave
	faultSent      = "sent"      // WhatsApp took it, nobody noted so
)
