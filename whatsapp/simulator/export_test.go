package simulator

// ForgetSessions makes a phone lose its Signal sessions, as one that was set up anew.
func (s *Server) ForgetSessions(number string) {
	p := s.phones.get(number)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sessions = nil
	p.oneTime, p.oneTimeIDs = nil, nil
}

// DropPreKeys leaves a phone's devices with n one-time prekeys.
func (s *Server) DropPreKeys(number string, n int) {
	for _, d := range s.phones.get(number).linked() {
		d.mu.Lock()
		d.preKeys = d.preKeys[:n]
		d.mu.Unlock()
	}
}
