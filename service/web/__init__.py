"""The HTML and probe edge: what a browser and a balancer ask for. It never imports the GraphQL edge, nor that one this."""
