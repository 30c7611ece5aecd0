package routes

func (s *server) demoRoutes() []route { return nil }
func demoLogins() []DemoLogin         { return nil }
