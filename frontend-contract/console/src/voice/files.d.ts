/** What the build makes of a file that runs beside the page: its address. */
declare module '*?worker&url' {
  const address: string;
  export default address;
}
