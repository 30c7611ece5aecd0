//go:build !faults

package whatsapp

// fault does nothing in a build without the tag faults.
func fault(string) {}
