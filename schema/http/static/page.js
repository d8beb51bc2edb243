// Puts GraphiQL together with our endpoint. Headers, and with them the token, are not kept when the page is closed.
"use strict";

const welcome = `# 门神 Menshen
#
# 读取会员信息须声明处理目的。请在下方 Headers 中填入令牌（menshen token --role …）：
# Whoever reads a member names a purpose. Put a token into Headers below (menshen token --role …):
#
#   { "authorization": "Bearer …" }
#
# 无需令牌的查询 · needs no token:

{
  processingRules {
    controller { legalName { zh en } }
    purposes { key title { zh en } basis fields { key shape } }
  }
}
`;

const fetcher = GraphiQL.createFetcher({ url: new URL("../graphql", location.href).href });
const graphiql = React.createElement(GraphiQL, {
  fetcher,
  defaultQuery: welcome,
  defaultEditorToolsVisibility: "headers",
  shouldPersistHeaders: false,
});
ReactDOM.createRoot(document.getElementById("graphiql")).render(graphiql);
