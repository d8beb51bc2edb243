"""GraphQL over HTTP: what is let in, by whom, how large and how deep; in which form it is answered; GraphiQL in development."""
